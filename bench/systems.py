"""The programs that are measured, each as a command on a world: a topic, a keyspace and a group of its own."""

import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measure import Program, Run, run

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release"
OTHERS = Path(__file__).parent / "others"
LOGS = ROOT / ".local" / "bench-logs"
JARS = Path(os.environ.get("STREAMFLOW_BENCH_JARS", "jars"))
LOAD = TARGET / "examples" / "load"


def program(name):
    return TARGET / name


@dataclass
class World:
    topic: str
    keyspace: str

    def environment(self):
        # Plain JSON, which is what the other systems read.
        kept = {name: value for name, value in os.environ.items() if name not in ("SCHEMA_REGISTRY_URL", "STREAMFLOW_VALUE_FORMAT")}
        return {**kept, "STREAMFLOW_TOPIC": self.topic, "CASSANDRA_KEYSPACE": self.keyspace, "RUST_LOG": "warn"}

    def start(self, command) -> Program:
        return Program(command, self.environment(), LOGS / f"{Path(str(command[0])).name}.log")

    def run(self, command) -> Run:
        return self.start(command).finish()

    def load(self, *arguments):
        return self.run([LOAD, *arguments]).summary

    def check(self, users):
        """Every row is there, and has the right values."""
        told = self.load("check", "--users", users)
        wrong = {name: count for name, count in told.items() if name != "rows" and count}
        if told["rows"] != users or wrong:
            raise AssertionError(f"{told} where {users} rows must be")


def new_name(what):
    return f"bench_{what}_{uuid.uuid4().hex[:8]}"


def cql(statement):
    host, port = os.environ["CASSANDRA_CONTACT_POINTS"].split(":")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run([ROOT / ".local/opt/tools/bin/python", "-m", "cqlshlib", host, port, "--request-timeout", "120", "-e", statement], environment,
        LOGS / "cqlsh.log")


@contextmanager
def tables(topic):
    """A world with fresh tables, which are dropped afterwards."""
    world = World(topic, new_name("k"))
    world.run([program("streamflow"), "init"])
    try:
        yield world
    finally:
        cql(f"DROP KEYSPACE IF EXISTS {world.keyspace}")


def filled(users, *arguments):
    """A topic with so many users."""
    topic = new_name("t")
    with tables(topic) as world:
        print(f"  {users:,} users onto the topic: {world.load('produce', '--users', users, *arguments)}", flush=True)
    # Or the kernel writes the broker's log to the disk while what reads it is measured.
    os.sync()
    return topic


# Commands.

def group(job):
    return ["--group-id", new_name(job)]


def transform_store(*arguments):
    return [program("transform-store"), *group("transform-store"), *arguments]


def aggregate(*arguments):
    return [program("aggregate"), *group("aggregate"), *arguments]


def fetch_publish(users, seed):
    return [program("fetch-publish"), "--users", users, "--seed", seed]


def spark(script, *arguments):
    home = Path(os.environ["SPARK_HOME"])
    there = {path.name for path in (home / "jars").iterdir()}
    jars = ",".join(str(path) for path in sorted(JARS.glob("*.jar")) if path.name not in there)
    return [home / "bin" / "spark-submit", "--driver-memory", "1g", "--jars", jars, OTHERS / script, *arguments]


def python(script, *arguments):
    return [os.environ["STREAMFLOW_BENCH_PYTHON"], OTHERS / script, *arguments]


def ceiling(users):
    return [LOAD, "ceiling", "--users", users]
