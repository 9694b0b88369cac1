"""Where everything of a stack lies and where it listens: folders, ports and the variables that the programs read."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .console import StackError

HOST = "127.0.0.1"

# The ports of the stack `local`. Other stacks have the same ones, shifted.
BASE_PORTS = {
    "postgres": 5432,
    "kafka": 9092,
    "kafka-controller": 9093,
    "cassandra": 9042,
    "cassandra-storage": 7000,
    "airflow": 8080,
    "api": 8100,
    "control-center": 9021,
    "schema-registry": 8081,
    "schema-registry-management": 9000,
    "spark-master": 7077,
    "spark-page": 8090,
    "spark-worker-page": 8091,
    "zookeeper": 2181,
    "kafka-on-zookeeper": 9094,
}
PORT_OFFSETS = {"local": 0, "test": 20000}


@dataclass(frozen=True)
class Stack:
    root: Path
    name: str
    offset: int

    @staticmethod
    def from_environment() -> "Stack":
        name = os.environ.get("STREAMFLOW_STACK") or "local"
        if not name.isidentifier() or name == "opt":
            raise StackError(f"STREAMFLOW_STACK={name!r} cannot name a stack: use letters, digits and _.", 2)
        given = os.environ.get("STREAMFLOW_PORT_OFFSET")
        try:
            offset = int(given) if given else PORT_OFFSETS[name]
        except KeyError:
            raise StackError(
                f"the stack {name!r} has no ports of its own: set STREAMFLOW_PORT_OFFSET, such as 15000, "
                f"or use one of {', '.join(PORT_OFFSETS)}.", 2) from None
        except ValueError:
            offset = -1
        if not 0 <= offset <= 65535 - max(BASE_PORTS.values()):
            raise StackError(f"STREAMFLOW_PORT_OFFSET={given!r} is not a number from 0 to {65535 - max(BASE_PORTS.values())}.", 2)
        return Stack(Path(__file__).resolve().parents[2], name, offset)

    def port(self, name: str) -> int:
        return BASE_PORTS[name] + self.offset

    def address(self, name: str) -> str:
        return f"{HOST}:{self.port(name)}"

    # Folders. `opt` (what was downloaded) is shared by all stacks of a clone, the rest belongs to one stack.

    @property
    def local(self) -> Path:
        return self.root / "local"

    @property
    def opt(self) -> Path:
        return self.root / ".local" / "opt"

    @property
    def dir(self) -> Path:
        return self.root / ".local" / self.name

    @property
    def logs(self) -> Path:
        return self.dir / "logs"

    @property
    def run(self) -> Path:
        return self.dir / "run"

    @property
    def airflow_home(self) -> Path:
        return self.dir / "airflow"

    @property
    def airflow_python(self) -> Path:
        return self.opt / "airflow" / "bin" / "python"

    @property
    def tools_python(self) -> Path:
        return self.opt / "tools" / "bin" / "python"

    @property
    def java_home(self) -> Path:
        return self.opt / "java"

    @property
    def java(self) -> Path:
        return self.java_home / "bin" / "java"

    @property
    def registry_java(self) -> Path:
        return self.opt / "java-registry" / "bin" / "java"

    @property
    def spark_home(self) -> Path:
        return self.opt / "spark" / "home"

    @property
    def spark_conf(self) -> Path:
        return self.dir / "spark-conf"

    @property
    def spark_python(self) -> Path:
        return self.opt / "spark" / "bin" / "python"

    @property
    def bin_dir(self) -> Path:
        target = os.environ.get("CARGO_TARGET_DIR")
        return (self.root / target if target else self.root / "target") / "release"

    @cached_property
    def id(self) -> str:
        """Marks every process of this stack, by its variable STREAMFLOW_STACK_ID."""
        return hashlib.sha256(f"{self.root}\0{self.name}".encode()).hexdigest()[:12]

    @property
    def system_dir(self) -> Path:
        """For root, where no user but root can enter the clone and the kernel gives no user namespace: PostgreSQL's home."""
        return Path(f"/var/lib/streamflow-{self.id}")

    def client_environment(self) -> dict[str, str]:
        """The variables with which a person, a test or a DAG's task finds the servers."""
        return {
            "DATABASE_URL": f"postgres://streamflow@{self.address('postgres')}/streamflow",
            "KAFKA_BOOTSTRAP_SERVERS": self.address("kafka"),
            "CASSANDRA_CONTACT_POINTS": self.address("cassandra"),
            "SCHEMA_REGISTRY_URL": f"http://{self.address('schema-registry')}/apis/ccompat/v7",
            "STREAMFLOW_VALUE_FORMAT": "avro",
            "STREAMFLOW_API_URL": f"http://{self.address('api')}/api/",
            "STREAMFLOW_BIN_DIR": str(self.bin_dir),
            "AIRFLOW_URL": f"http://{self.address('airflow')}",
            "CONTROL_CENTER_URL": f"http://{self.address('control-center')}",
            "AIRFLOW_HOME": str(self.airflow_home),
            "STREAMFLOW_AIRFLOW_PYTHON": str(self.airflow_python),
            "SPARK_MASTER_URL": f"spark://{self.address('spark-master')}",
            "SPARK_HOME": str(self.spark_home),
            "SPARK_CONF_DIR": str(self.spark_conf),
            "SPARK_LOCAL_IP": HOST,
            "PYSPARK_PYTHON": str(self.spark_python),
            "PYSPARK_DRIVER_PYTHON": str(self.spark_python),
            "JAVA_HOME": str(self.java_home),
        }

    def base_environment(self) -> dict[str, str]:
        """The caller's variables without those that would lead a server or a client astray, then ours."""
        foreign = ("AIRFLOW", "PG", "SUPERVISOR_", "PYTHON", "VIRTUAL_ENV", "STREAMFLOW_PORT_OFFSET", "SPARK_", "PYSPARK_",
                   "HADOOP_", "YARN_", "JAVA_", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        kept.update(self.client_environment())
        kept["STREAMFLOW_STACK"] = self.name
        if os.environ.get("STREAMFLOW_PORT_OFFSET"):
            kept["STREAMFLOW_PORT_OFFSET"] = str(self.offset)
        kept["PYTHONDONTWRITEBYTECODE"] = "1"
        kept["STREAMFLOW_STACK_ID"] = self.id
        return kept
