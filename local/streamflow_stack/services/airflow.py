"""Airflow 3: four processes on PostgreSQL, with the FAB login admin/admin."""

import hashlib
import json
import os
import secrets
import subprocess
import tempfile
import time
from pathlib import Path

from .. import airflow_setup, probe
from ..console import StackError, say, since
from ..install import stamp_of
from ..layout import HOST, Stack
from .service import Service


def _secrets(stack: Stack) -> dict[str, str]:
    """Made once for each stack; tokens and connections stay valid over down and up."""
    path = stack.airflow_home / "secrets.json"
    if not path.exists():
        stack.airflow_home.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"fernet": secrets.token_urlsafe(32) + "=", "api": secrets.token_hex(32), "jwt": secrets.token_hex(32)})
        # A name of its own also for each thread: services are prepared side by side.
        with tempfile.NamedTemporaryFile("w", dir=stack.airflow_home, prefix="secrets.") as out:
            out.write(text)
            out.flush()
            try:
                os.link(out.name, path)  # the first one wins
            except FileExistsError:
                pass
    return json.loads(path.read_text())


def environment(stack: Stack) -> dict[str, str]:
    keys = _secrets(stack)
    port = stack.port("airflow")
    variables = stack.base_environment()
    # Spark's before Airflow's, where another version of pyspark may bring a `spark-submit` of its own.
    folders = (stack.bin_dir, stack.spark_home / "bin", stack.airflow_python.parent, os.environ.get("PATH", os.defpath))
    variables["PATH"] = os.pathsep.join(str(folder) for folder in folders)
    variables["no_proxy"] = variables["NO_PROXY"] = ",".join(filter(None, (os.environ.get("no_proxy"), HOST, "localhost")))
    settings = {
        "core.dags_folder": stack.root / "dags",
        "core.load_examples": False,
        "core.executor": "LocalExecutor",
        "core.parallelism": 8,
        "core.auth_manager": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "core.dags_are_paused_at_creation": True,
        "core.fernet_key": keys["fernet"],
        "core.execution_api_server_url": f"http://{HOST}:{port}/execution/",
        "database.sql_alchemy_conn": f"postgresql+psycopg2://airflow@{stack.address('postgres')}/airflow",
        "api.host": HOST,
        "api.port": port,
        "api.base_url": f"http://localhost:{port}",
        "api.workers": 1,
        "api.secret_key": keys["api"],
        "api_auth.jwt_secret": keys["jwt"],
        "logging.base_log_folder": stack.airflow_home / "logs",
        # A changed or new file in dags/ shows up within seconds.
        "dag_processor.refresh_interval": 10,
        "dag_processor.min_file_process_interval": 10,
        "dag_processor.parsing_processes": 1,
        "usage_data_collection.enabled": False,
    }
    for name, value in settings.items():
        section, key = name.split(".")
        variables[f"AIRFLOW__{section}__{key}".upper()] = str(value)
    return variables


class AirflowService(Service):
    port = "airflow"
    needs = ("postgres",)
    stop_wait = 30

    def __init__(self, name: str, component: str | None, *arguments: str):
        self.name = name
        self.component = component
        self.useless_without = ("airflow-api-server",) if component else ()
        self.arguments = arguments

    def environment(self, stack: Stack) -> dict[str, str]:
        return environment(stack)

    def folder(self, stack: Stack):
        return stack.airflow_home

    def command(self, stack: Stack) -> list[str]:
        # By module: the first line of a script breaks on long paths and on spaces.
        return [str(stack.airflow_python), "-m", "airflow", *self.arguments]

    def prepare(self, stack: Stack) -> None:
        stack.airflow_home.mkdir(parents=True, exist_ok=True)
        _secrets(stack)

    def probe(self, stack: Stack) -> None:
        probe.airflow(stack.port("airflow"), self.component or "metadatabase")

    def fingerprint(self, stack: Stack) -> str:
        return f"{super().fingerprint(stack)}-{stamp_of(stack.opt / 'airflow')}"


# The log servers of scheduler and triggerer would listen on every address. On one machine the API server reads the files itself.
SERVICES = (
    AirflowService("airflow-api-server", None, "api-server"),
    AirflowService("airflow-scheduler", "scheduler", "scheduler", "--skip-serve-logs"),
    AirflowService("airflow-dag-processor", "dag_processor", "dag-processor"),
    AirflowService("airflow-triggerer", "triggerer", "triggerer", "--skip-serve-logs"),
)


class Metadata:
    """Tables, user and connection of Airflow. They take long to look at, so a stamp says for what they were made."""

    def __init__(self, stack: Stack, database_id: str):
        self.stack = stack
        setup = hashlib.sha256(Path(airflow_setup.__file__).read_bytes()).hexdigest()[:16]
        self.state = f"{stamp_of(stack.opt / 'airflow')} {database_id} {stack.address('spark-master')} {setup}"
        self.stamp = stack.airflow_home / "metadata.done"

    def make(self, tables_ready) -> None:
        """Calls `tables_ready` as soon as the servers can start; returns when the others are there too."""
        if self.stamp.exists() and self.stamp.read_text() == self.state:
            tables_ready()
            return
        started = time.monotonic()
        say("airflow", "making its tables, its user admin and its connection to Spark …")
        log = self.stack.logs / "airflow-setup.log"
        with open(log, "wb") as out, subprocess.Popen(
                [self.stack.airflow_python, airflow_setup.__file__], env=environment(self.stack), cwd=self.stack.airflow_home,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=out, text=True) as setup:
            for line in setup.stdout:
                if line.strip() == airflow_setup.TABLES_READY:
                    say("airflow", f"its tables are ready ({since(started)})")
                    tables_ready()
        if setup.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
            raise StackError(f"airflow: making its tables, its user and its connection to Spark failed. The end of {log}:\n{tail}")
        self.stamp.write_text(self.state)
        say("airflow", f"its user and its connection are ready ({since(started)})")
