"""docker-compose.yml for real: up, used, disturbed, taken down. Called by `make test-compose`; standard library only.

Each variant is a project of its own, with ports and images of its own, so that nothing that runs on this machine is disturbed. What its
containers wrote is kept in .local/test-compose. The last line counts: N passed, N failed, N skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "local"))
sys.dont_write_bytecode = True

from airflow_rest import Airflow  # noqa: E402

LOGS = REPOSITORY / ".local" / "test-compose"
VARIANTS = {
    "kraft": ["docker-compose.yml"],
    "zookeeper": ["docker-compose.yml", "docker-compose.zookeeper.yml"],
}
ONCE = {"init", "airflow-init"}
PORT_OFFSET = 24000
PORTS = {
    "AIRFLOW": 8080,
    "API": 8100,
    "CASSANDRA": 9042,
    "CONFLUENT": 9022,
    "CONTROL_CENTER": 9021,
    "KAFKA": 9092,
    "POSTGRES": 5432,
    "SCHEMA_REGISTRY": 8081,
    "SPARK": 7077,
    "SPARK_UI": 8090,
}
UP_TIMEOUT_S = 600
RUN_TIMEOUT_S = 300
DAGS = ["user_automation", "sparking_flow"]

counts = {"passed": 0, "failed": 0, "skipped": 0}
begun = time.monotonic()


class NotReached(Exception):
    """A check failed before, and what follows would only fail with it."""


@contextmanager
def check(name: str) -> Iterator[None]:
    start = time.monotonic()
    say(f"… {name}")
    try:
        yield
    except Exception as error:
        counts["failed"] += 1
        say(f"FAILED {name}: {error}")
        if not isinstance(error, AssertionError):
            traceback.print_exc()
        raise NotReached from None
    counts["passed"] += 1
    say(f"ok {name} ({time.monotonic() - start:.0f} s)")


def say(line: str) -> None:
    print(f"[{time.monotonic() - begun:5.0f} s] {line}", flush=True)


def wait_for(condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
    end = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"no {what} after {timeout_s:.0f} s"
        time.sleep(1)


class ControlCenter:
    """Its pages, as whoever logs in with the password of the documents gets them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def log_in(self) -> None:
        form = urllib.parse.urlencode({"name": "admin", "password": "admin", "then": "/"}).encode()
        self.browser.open(urllib.request.Request(f"{self.url}/login", form, {"Origin": self.url}), timeout=20).close()

    def page(self, path: str, accept: str = "text/html") -> str:
        with self.browser.open(urllib.request.Request(self.url + path, headers={"Accept": accept}), timeout=20) as answer:
            return answer.read().decode()

    def json(self, path: str) -> Any:
        return json.loads(self.page(path, "application/json"))


class Project:
    """One variant of the compose file, as a project of its own."""

    def __init__(self, variant: str, command: list[str]) -> None:
        self.name = f"streamflow-test-{variant}"
        self.logs = LOGS / variant
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        # Somebody's own settings are not what is tested.
        env_file = self.logs / "empty.env"
        env_file.touch()
        files = [word for name in VARIANTS[variant] for word in ("-f", name)]
        self.command = [*command, "--project-name", self.name, "--env-file", str(env_file), *files]
        settings = set(re.findall(r"^#?([A-Z_][A-Z0-9_]*)=", (REPOSITORY / ".env.example").read_text(), re.M))
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in settings and not name.startswith("COMPOSE_P")},
            **{f"STREAMFLOW_PORT_{name}": str(port + PORT_OFFSET) for name, port in PORTS.items()},
            "STREAMFLOW_DOCKER_IMAGE": "streamflow-programs:test-compose",
            "STREAMFLOW_AIRFLOW_IMAGE": "streamflow-airflow:test-compose",
            "STREAMFLOW_JOB_METRICS_URLS": "http://store:9464",
        }
        self.control_center = ControlCenter(f"http://127.0.0.1:{PORTS['CONTROL_CENTER'] + PORT_OFFSET}")
        self.airflow = Airflow(f"http://127.0.0.1:{PORTS['AIRFLOW'] + PORT_OFFSET}")

    def compose(self, *words: str, timeout_s: float = 120, log: str | None = None, check: bool = True) -> str:
        """Its standard output; with `log`, both outputs go to a file of that name instead."""
        output = (self.logs / log).open("a") if log else subprocess.PIPE
        try:
            done = subprocess.run(
                [*self.command, *words],
                cwd=REPOSITORY,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                text=True,
                timeout=timeout_s,
            )
        finally:
            if log:
                output.close()
        said = f"see {self.logs / log}" if log else (done.stderr or "").strip()[-2000:]
        assert not check or done.returncode == 0, f"docker-compose {' '.join(words)} ended with {done.returncode}: {said}"
        return done.stdout or ""

    def containers(self) -> list[dict[str, Any]]:
        ids = docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.name}").split()
        return json.loads(docker("inspect", *ids)) if ids else []

    def states(self) -> dict[str, str]:
        """service → what is still to be waited for, empty when all is well."""
        waits = {}
        for container in self.containers():
            labels = container["Config"]["Labels"]
            if labels.get("com.docker.compose.oneoff") == "True":
                continue
            service, state = labels["com.docker.compose.service"], container["State"]
            if service in ONCE:
                if state["Status"] != "exited" or state["ExitCode"] != 0:
                    waits[service] = f"{state['Status']} {state['ExitCode']}"
            elif state.get("Health", {}).get("Status") != "healthy":
                waits[service] = state.get("Health", {}).get("Status", state["Status"])
        return waits

    def wait_until_healthy(self, timeout_s: float = UP_TIMEOUT_S) -> None:
        end = time.monotonic() + timeout_s
        while waits := self.states():
            assert time.monotonic() < end, f"not healthy after {timeout_s:.0f} s: {waits}"
            time.sleep(1)

    def cql(self, statement: str) -> str:
        # The check of the tutorials.
        return self.compose("exec", "-T", "cassandra", "cqlsh", "-e", statement)

    def created_users(self) -> int:
        return int(re.search(r"^\s+(\d+)\s*$", self.cql("SELECT count(*) FROM spark_streams.created_users;"), re.M)[1])

    def counted_users(self) -> int:
        found = self.cql("SELECT sum(users) FROM spark_streams.user_summaries WHERE dimension = 'gender' ALLOW FILTERING;")
        return int(re.search(r"^\s+(\d+)\s*$", found, re.M)[1])

    def landed_users(self) -> tuple[int, int]:
        """Landed, and published."""
        sql = "SELECT (SELECT count(*) FROM landed_users), (SELECT count(*) FROM published_users)"
        out = self.compose("exec", "-T", "postgres", "psql", "--username=postgres", "--dbname=streamflow", "--no-align", "--tuples-only", "-c", sql)
        landed, published = out.strip().split("|")
        return int(landed), int(published)

    def first_value_on_the_topic(self) -> bytes:
        """Its first five bytes, as Kafka's own tool reads it. With a small heap: it runs in the broker's container."""
        command = (
            "PATH=$PATH:/opt/kafka/bin KAFKA_HEAP_OPTS=-Xmx64m; export PATH KAFKA_HEAP_OPTS; "
            "tool=$(command -v kafka-console-consumer kafka-console-consumer.sh | head -n 1); "
            '"$tool" --bootstrap-server kafka:9092 --topic user_created --from-beginning --max-messages 1 --timeout-ms 60000 '
            "2>/dev/null | head -c 5 | od -An -tx1"
        )
        return bytes.fromhex(self.compose("exec", "-T", "kafka", "bash", "-c", command))

    def registered_schema(self) -> dict[str, Any]:
        address = f"http://127.0.0.1:{PORTS['SCHEMA_REGISTRY'] + PORT_OFFSET}/subjects/user_created-value/versions/latest"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)

    def fetch(self, *arguments: str) -> dict[str, Any]:
        """Runs fetch-publish by hand, in a container that is removed."""
        out = self.compose("run", "-T", "--rm", "--no-deps", "init", "fetch-publish", *arguments, timeout_s=RUN_TIMEOUT_S)
        return json.loads(out.strip().splitlines()[-1])

    def is_quiet(self) -> bool:
        if any(self.airflow.is_run_due(dag) for dag in DAGS):
            return False
        return not any(run["state"] in ("queued", "running") for dag in DAGS for run in self.airflow.runs(dag))

    def wait_until_quiet(self) -> None:
        # Twice: a run may end, and its asset event start another, between two of the requests.
        wait_for(lambda: self.is_quiet() and self.is_quiet(), RUN_TIMEOUT_S, "rest of both DAGs")

    def run(self, dag: str, conf: dict[str, Any]) -> str:
        run_id = self.airflow.trigger(dag, conf)
        state = self.airflow.wait_for_run(dag, run_id, RUN_TIMEOUT_S)
        assert state == "success", f"{dag} {run_id} ended with {state}:\n{self.failed_lines(dag, run_id)}"
        return run_id

    def failed_lines(self, dag: str, run_id: str) -> str:
        lines = []
        for task in self.airflow.tasks(dag, run_id):
            if task["state"] not in ("success", "skipped"):
                log = self.airflow.log_lines(dag, run_id, task["task_id"], task["try_number"] or 1)
                lines += [f"{task['task_id']} {task['state']}:", *log[-25:]]
        return "\n".join(lines)

    def keep_logs(self) -> None:
        for container in self.containers():
            name = container["Name"].strip("/")
            with (self.logs / f"{name}.log").open("wb") as out:
                subprocess.run(["docker", "logs", "--timestamps", container["Id"]], stdout=out, stderr=subprocess.STDOUT)

    def volumes(self) -> set[str]:
        """What the containers have mounted, also what an image declares and the file does not name."""
        mounts = [mount for container in self.containers() for mount in container["Mounts"]]
        return {mount["Name"] for mount in mounts if mount["Type"] == "volume"}

    def left(self) -> list[str]:
        label = f"label=com.docker.compose.project={self.name}"
        found = docker("ps", "--all", "--quiet", "--filter", label).split()
        for kind in ("volume", "network"):
            found += docker(kind, "ls", "--quiet", "--filter", label).split()
        return found


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


def examine(project: Project, with_spark: bool) -> None:
    airflow = project.airflow
    with check("docker-compose up --build: every service becomes healthy, init and airflow-init end well"):
        # The first time all is compiled.
        project.compose("up", "--build", "--detach", timeout_s=3600, log="up.log")
        project.wait_until_healthy()

    with check("ports are open on 127.0.0.1 alone, no container has a capability, every volume has a name"):
        # One without a name would stay behind each time that the containers are removed and their data is not.
        nameless = [name for name in project.volumes() if not name.startswith(f"{project.name}_")]
        assert not nameless, nameless
        for container in project.containers():
            for published in (container["NetworkSettings"]["Ports"] or {}).values():
                assert all(at["HostIp"] == "127.0.0.1" for at in published or []), container["Name"]
            assert container["HostConfig"]["CapDrop"] == ["ALL"] and not container["HostConfig"]["CapAdd"], container["Name"]
            assert container["Config"]["User"] not in ("", "0", "root"), f"{container['Name']} runs as root"

    with check("Airflow knows both DAGs and spark-conn, and shows no import error"):
        for dag in DAGS:
            airflow.wait_for_dag(dag, timeout_s=120)
        assert airflow.request("GET", "/importErrors")["total_entries"] == 0, airflow.import_errors()
        connection = airflow.request("GET", "/connections/spark-conn")
        assert (connection["conn_type"], connection["host"], connection["port"]) == ("spark", "spark://spark-master", 7077)

    with check("user_automation brings 300 users, sparking_flow stores and counts them"):
        for dag in DAGS:
            airflow.unpause(dag)
        project.wait_until_quiet()
        before = project.created_users()
        run_id = project.run("user_automation", {"users": 300, "runner": "bash"})
        summary = airflow.xcom("user_automation", run_id, "fetch_publish")
        assert summary["landed"] == summary["published"] == 300, summary
        project.wait_until_quiet()
        assert project.created_users() == before + 300, f"{before} users before, {project.created_users()} after"
        assert airflow.runs("sparking_flow")[-1]["state"] == "success"
        lines = airflow.log_lines("user_automation", run_id, "fetch_publish", 1)
        assert any('"published":300' in line for line in lines), "the log of the task, as Airflow shows it, lacks the summary"

    with check("users are on the topic in Avro, by the registered schema; streamflow doctor finds all well"):
        schema = project.registered_schema()
        # A registry may leave the type out where it is Avro.
        assert schema.get("schemaType", "AVRO") == "AVRO", schema
        value = project.first_value_on_the_topic()
        assert value == b"\0" + schema["id"].to_bytes(4, "big"), f"{value!r}, and the schema is {schema['id']}"
        said = project.compose("run", "-T", "--rm", "--no-deps", "init", "streamflow", "doctor")
        assert "user_created-value" in said, said

    with check("the control center asks for a login, shows every server well, the run with its sums, the messages and where a user is"):
        center = project.control_center
        # Without a login, the page of the login is what comes.
        assert "name=\"password\"" in center.page("/"), center.page("/")
        center.log_in()
        silent = ["Jobs"]  # the service store is not up yet
        components = {it["name"]: it for it in wait_for(lambda: asked(center), 60, "answers of the servers")}
        ill = {name: it for name, it in components.items() if it["answers"] is not True and name not in silent}
        assert not ill, ill
        run = center.json(f"/runs/user_automation/{urllib.parse.quote(run_id, safe='')}")["run"]
        sums = {it["name"]: it["value"] for task in run["tasks"] for it in task["sums"]}
        assert (run["state"], sums["published"]) == ("success", 300), run
        # The steps of the tutorials.
        for page in ("/", "/clusters", "/clusters/controlcenter.cluster/topics", "/clusters/controlcenter.cluster/topics/user_created"):
            assert "StreamFlow" in center.page(page)
        messages = center.page("/clusters/controlcenter.cluster/topics/user_created/messages")
        assert "•••" in messages, messages
        message = center.page(re.search(r'href="([^"]+/messages/\d+/\d+)"', messages)[1])
        user = re.search(r"/explain\?user_id=([0-9a-f-]{36})", message)[1]
        explained = center.json(f"/explain?user_id={user}")
        assert explained["outcome"]["is"] == "stored", explained["outcome"]

    with check("a second start changes nothing: keys, user, connection and topics are there"):
        before = project.created_users()
        project.compose("up", "--detach", timeout_s=UP_TIMEOUT_S, log="up.log")
        project.wait_until_healthy()
        airflow.request("GET", "/connections/spark-conn")
        assert project.created_users() == before

    if with_spark:
        with check("--scale spark-worker=2: a run on Spark with two members stores what was published by hand"):
            scaled = ["up", "--detach", "--no-recreate", "--scale", "spark-worker=2", "spark-worker"]
            project.compose(*scaled, timeout_s=UP_TIMEOUT_S, log="up.log")
            master = f"http://127.0.0.1:{PORTS['SPARK_UI'] + PORT_OFFSET}/json/"
            wait_for(lambda: json.load(urllib.request.urlopen(master, timeout=10))["aliveworkers"] == 2, 120, "second worker")
            before = project.created_users()
            fetched = project.fetch("--users", "400", "--seed", "on-spark")
            assert fetched["landed"] == 400, fetched
            run_id = project.run("sparking_flow", {"runner": "spark", "members": 2})
            stored, counted = (airflow.xcom("sparking_flow", run_id, task) for task in ("python_job", "java_job"))
            assert stored["stored"] == counted["counted"] == 400 and stored["members"] == 2, (stored, counted)
            assert project.created_users() == before + 400

    with check("Kafka and Cassandra are restarted in the middle: nothing is lost, nothing counts twice"):
        project.compose("--profile", "stream", "up", "--detach", "--no-recreate", "store", timeout_s=UP_TIMEOUT_S, log="up.log")
        users, before = 20_000, project.landed_users()[0]
        project.compose(
            *("run", "-T", "--detach", "--no-deps", "--name", f"{project.name}-fetch", "init"),
            *("fetch-publish", "--users", str(users), "--seed", "restarts", "--page-size", "500", "--rate", "500"),
        )
        wait_for(lambda: project.landed_users()[1] > before + 2_000, 60, "users of the new run")
        project.compose("restart", "--timeout", "60", "kafka", "cassandra", timeout_s=UP_TIMEOUT_S, log="up.log")
        assert project.landed_users()[1] < before + users, "the run was over before the restart was"
        wait_for(lambda: not is_running(f"{project.name}-fetch"), RUN_TIMEOUT_S, "end of fetch-publish")
        last = docker("logs", "--tail", "1", f"{project.name}-fetch").strip()
        assert json.loads(last)["published"] == users, last
        docker("rm", "--volumes", f"{project.name}-fetch")
        project.wait_until_healthy()
        project.wait_until_quiet()
        project.run("sparking_flow", {"runner": "bash"})
        assert project.landed_users() == (before + users, before + users)
        wait_for(lambda: project.created_users() == before + users, 120, f"{before + users} users in Cassandra")
        assert project.counted_users() == before + users, project.counted_users()

    with check("the control center tells how long records took to their row"):
        rows = project.control_center.json("/throughput?window=1h")["latencies"]["rows"]
        half = [row["values"][0] for row in rows if row["values"][0] is not None]
        assert half and all(0 < it < 3_600 for it in half), rows

    with check("no container was ended for its memory, or ended by itself"):
        for container in project.containers():
            assert not container["State"]["OOMKilled"], f"{container['Name']} wanted more than its mem_limit"
            assert container["RestartCount"] == 0, f"{container['Name']} was started again {container['RestartCount']} times"


def asked(center: ControlCenter) -> list[dict[str, Any]] | None:
    """The servers, as soon as each of them was asked."""
    components = center.json("/health")["components"]
    return components if all(it["answers"] is not None for it in components) else None


def is_running(container: str) -> bool:
    return json.loads(docker("inspect", container))[0]["State"]["Running"]


def try_variant(variant: str, command: list[str], with_spark: bool) -> None:
    say(f"=== {variant}: {' '.join(VARIANTS[variant])}")
    project = Project(variant, command)
    # Of a test that was broken off.
    project.compose("--profile", "stream", "down", "--volumes", "--remove-orphans", timeout_s=300, log="down.log", check=False)
    try:
        examine(project, with_spark)
    except NotReached:
        say(f"the rest of {variant} is not tried; logs are in {project.logs}")
    finally:
        project.keep_logs()
        try:
            with check("docker-compose down --volumes leaves no container, volume or network"):
                project.compose("--profile", "stream", "down", "--volumes", timeout_s=300, log="down.log")
                assert not project.left(), project.left()
        except NotReached:
            pass


def find_compose() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            return command
    return None


def main() -> int:
    command = find_compose()
    if command is None or not shutil.which("docker"):
        return skip("docker, or docker compose (docker-compose), is not installed")
    answer = subprocess.run(["docker", "info"], capture_output=True, text=True)
    if answer.returncode != 0:
        return skip(f"no Docker engine answers: {(answer.stderr or answer.stdout).strip().splitlines()[-1]}")
    wanted = sys.argv[1:] or list(VARIANTS)
    for variant in wanted:
        # How Kafka is managed makes no difference to Spark.
        try_variant(variant, command, with_spark=variant == "kraft")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


def skip(reason: str) -> int:
    print(f"skipped: the tests of docker-compose.yml: {reason}")
    print("0 passed, 0 failed, 1 skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
