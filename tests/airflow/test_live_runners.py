"""The three runners through Airflow's own scheduler, on the real servers: one input, one result."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import uuid
from typing import Any

import demo_counts
import pytest
from live import connect, needs_airflow, needs_engine, processes_with, wait_for, wait_until_quiet

pytestmark = needs_airflow

USERS = 300
MANY_USERS = 100_000
DAG = "sparking_flow"
JOBS = {"python_job": "transform-store", "java_job": "aggregate"}
RUNNERS = ["bash", "spark", pytest.param("docker", marks=needs_engine)]


@pytest.fixture(scope="module")
def airflow():
    return connect()


@pytest.fixture(scope="module")
def seed():
    return f"runners-{uuid.uuid4()}"


def publish(users: int, seed: str) -> None:
    command = [os.environ["STREAMFLOW_BIN_DIR"] + "/fetch-publish", f"--users={users}", "--page-size=5000", f"--seed={seed}"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def forget_what_was_stored() -> None:
    """Empty tables, and both consumer groups at the beginning of the topic."""
    for table in ("created_users", "user_summaries"):
        demo_counts.cql(f"TRUNCATE {table}")
    jars = demo_counts.STACK.parents[1] / ".local" / "opt" / "jars" / "kafka"
    command = [
        os.environ["JAVA_HOME"] + "/bin/java",
        "-cp",
        f"{jars}/*",
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        f"--bootstrap-server={os.environ['KAFKA_BOOTSTRAP_SERVERS']}",
        "--group=transform-store",
        "--topic=user_created",
        "--reset-offsets",
        "--to-earliest",
        "--execute",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def stored() -> dict[str, list[str]]:
    """Both tables, row by row, with the time at which a user was written."""
    return {
        "created_users": in_order(
            "SELECT JSON id, first_name, last_name, gender, address, post_code, email, username, dob, registered_date, phone,"
            " picture, nationality, country, writetime(email) FROM created_users"
        ),
        "user_summaries": in_order("SELECT JSON * FROM user_summaries"),
    }


def in_order(statement: str) -> list[str]:
    return sorted(line for line in demo_counts.cql_lines(statement) if line.startswith("{"))


class FlowRun:
    def __init__(self, airflow, **conf: Any) -> None:
        self.airflow = airflow
        self.run_id = airflow.trigger(DAG, conf)

    def end(self) -> FlowRun:
        self.state = self.airflow.wait_for_run(DAG, self.run_id, timeout_s=240)
        self.summaries = {task: self.airflow.xcom(DAG, self.run_id, task) for task in JOBS}
        return self

    def log(self, task: str) -> list[str]:
        try_number = self.airflow.task(DAG, self.run_id, task)["try_number"]
        return self.airflow.log_lines(DAG, self.run_id, task, try_number)

    def sums(self) -> dict[str, dict[str, Any]]:
        return {task: {k: v for k, v in s.items() if k not in ("elapsed_ms", "members")} for task, s in self.summaries.items()}


@pytest.fixture(scope="module")
def by_hand(airflow, seed):
    """What each program makes of the whole topic when it is started without Airflow."""
    publish(USERS, seed)
    forget_what_was_stored()
    sums = {}
    for task, program in JOBS.items():
        path = os.environ["STREAMFLOW_BIN_DIR"] + "/" + program
        done = subprocess.run([path, "--until-latest"], check=True, capture_output=True, text=True, timeout=120)
        sums[task] = {k: v for k, v in json.loads(done.stdout.splitlines()[-1]).items() if k != "elapsed_ms"}
    return sums, stored()


@pytest.mark.parametrize("runner", RUNNERS)
def test_one_input_gives_the_same_rows_and_sums_with_every_runner(airflow, by_hand, runner):
    sums, rows = by_hand
    forget_what_was_stored()
    run = FlowRun(airflow, runner=runner).end()
    assert run.state == "success"
    assert run.sums() == sums
    assert stored() == rows
    assert len(rows["created_users"]) >= USERS


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_same_users_are_fetched_with_every_runner(airflow, seed, by_hand, runner):
    run_id = airflow.trigger("user_automation", {"users": USERS, "page_size": 5000, "seed": seed, "runner": runner})
    assert airflow.wait_for_run("user_automation", run_id, timeout_s=120) == "success"
    summary = airflow.xcom("user_automation", run_id, "fetch_publish")
    assert (summary["fetched"], summary["already_landed"], summary["published"]) == (USERS, USERS, 0)
    # The run of sparking_flow that follows must not meet the next test's.
    wait_until_quiet(airflow)


@pytest.fixture(scope="module")
def many(airflow):
    publish(MANY_USERS, f"many-{uuid.uuid4()}")
    return demo_counts.landing().published


def test_two_members_share_the_topic_and_their_sums_add_up(airflow, many):
    forget_what_was_stored()
    run = FlowRun(airflow, runner="spark", members=2).end()
    assert run.state == "success"
    for task, sum_of in {"python_job": "stored", "java_job": "counted"}.items():
        parts = [json.loads(found[1]) for line in run.log(task) if (found := re.match(r"\[member \d\] (\{.*\})$", line))]
        if task == "python_job":  # The other job may be over before its second member has joined.
            assert [part[sum_of] > 0 for part in parts] == [True, True], f"each member of {task} did a part: {parts}"
        assert run.summaries[task][sum_of] == sum(part[sum_of] for part in parts) == many
        assert run.summaries[task]["members"] == 2
    assert demo_counts.created_users() == many
    assert set(demo_counts.summary_totals().values()) == {many}


def test_a_member_killed_half_way_is_started_again_and_nothing_is_lost_or_counted_twice(airflow, many):
    forget_what_was_stored()
    run = FlowRun(airflow, runner="spark", members=2)
    kill_a_member_of_each(set(JOBS.values()))
    run.end()
    assert run.state == "success"
    # One run is enough, although members came and went while it counted.
    assert demo_counts.created_users() == many
    assert set(demo_counts.summary_totals().values()) == {many}
    for task in JOBS:
        log = run.log(task)
        assert sum(bool(re.match(r"member \d starts on ", line)) for line in log) == 3, "two members, and one again"
        assert any("was ended by signal 9" in line for line in log)


def kill_a_member_of_each(programs: set[str]) -> None:
    """Soon after the second member is there. Both jobs run at the same time, and counting all of them takes less than a second."""
    wait = {"transform-store": 0.5, "aggregate": 0.2}
    seen: dict[str, float] = {}
    end = time.monotonic() + 120
    while programs:
        assert time.monotonic() < end, f"no two members of {programs}"
        for program in list(programs):
            members = members_of(program)
            if len(members) == 2 and time.monotonic() > seen.setdefault(program, time.monotonic()) + wait[program]:
                os.kill(members[0], signal.SIGKILL)
                programs.remove(program)
        time.sleep(0.05)


def members_of(program: str) -> list[int]:
    """The program itself, and not the shell above it, which also has its name among its arguments."""
    return [pid for pid in processes_with(f"./{program}") if os.readlink(f"/proc/{pid}/exe").endswith(f"/{program}")]


def test_a_missing_spark_conn_is_told_at_once_with_what_to_do(airflow):
    connection = airflow.connection("spark-conn")
    airflow.delete_connection("spark-conn")
    try:
        run = FlowRun(airflow, runner="spark").end()
    finally:
        airflow.add_connection(connection)
    assert run.state == "failed"
    told = "\n".join(run.log("python_job")[-12:])
    assert "Airflow has no connection spark-conn: make the connection spark-conn in Admin → Connections" in told
    assert airflow.task(DAG, run.run_id, "python_job")["try_number"] == 1


def test_a_master_that_is_down_is_named_with_its_address_and_what_to_do(airflow):
    connection = airflow.connection("spark-conn")
    airflow.change_connection({**connection, "port": 1})
    try:
        run = FlowRun(airflow, runner="spark")
        wait_for(lambda: airflow.task(DAG, run.run_id, "python_job")["state"] == "up_for_retry", 120, "failed first try")
        told = "\n".join(airflow.log_lines(DAG, run.run_id, "python_job", 1)[-15:])
    finally:
        airflow.change_connection(connection)
    assert "no Spark master answers at spark://127.0.0.1:1 (Connection refused)" in told
    assert "connection spark-conn" in told
    assert run.end().state == "success", "the next try comes by itself, and ends right"


@pytest.fixture
def image():
    """The image's name, which a test may take away or give to another image."""
    name = os.environ["STREAMFLOW_DOCKER_IMAGE"]
    kept = "streamflow-programs:kept-during-a-test"
    subprocess.run(["docker", "tag", name, kept], check=True)
    yield name
    subprocess.run(["docker", "tag", kept, name], check=True)
    subprocess.run(["docker", "rmi", kept], check=True, capture_output=True)


@needs_engine
def test_a_missing_image_is_named_with_what_to_do(airflow, image):
    subprocess.run(["docker", "rmi", image], check=True, capture_output=True)
    assert_fails_at_once(airflow, f"the image {image} is not on the Docker engine and cannot be pulled", "make it with 'make image'")


@needs_engine
def test_an_image_without_the_program_is_named_with_what_to_do(airflow, image):
    nothing = bytes(1024)  # An archive that ends at once.
    subprocess.run(["docker", "import", "-", image], input=nothing, check=True, capture_output=True)
    assert_fails_at_once(airflow, f"the image {image} has no program transform-store: make it anew with 'make image'")


def assert_fails_at_once(airflow, *parts: str) -> None:
    run = FlowRun(airflow, runner="docker").end()
    assert run.state == "failed"
    told = "\n".join(run.log("python_job")[-12:])
    assert all(part in told for part in parts), told
    assert airflow.task(DAG, run.run_id, "python_job")["try_number"] == 1
