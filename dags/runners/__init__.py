"""The ways in which a task runs one of StreamFlow's programs; one module each, loaded only when a run asks for it.

Each module has `Runner(job)` with `run(context)`, which returns the program's last line of output or raises one of the
errors below, and `stop()`, which Airflow calls when the task is ended while it runs.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from airflow.sdk.exceptions import AirflowException

NAMES = ("bash", "docker", "spark")

_OF_THE_PROGRAMS = (
    "AGGREGATE_",
    "CASSANDRA_",
    "DATABASE_",
    "KAFKA_",
    "RUST_",
    "SCHEMA_REGISTRY_",
    "STREAMFLOW_",
    "TRANSFORM_STORE_",
)
_OF_THIS_MACHINE = ("STREAMFLOW_AIRFLOW_", "STREAMFLOW_BIN_DIR", "STREAMFLOW_DOCKER_", "STREAMFLOW_RUNNER", "STREAMFLOW_STACK")

# What each exit code means and what to do about it (docs/operations.md).
MEANINGS = {
    2: "the program refused its arguments: correct the run's parameters and trigger it again",
    65: "the data is bad: do what its last line says",
    69: "a server or a part of the cluster cannot be reached: see its last line",
    70: "that is a fault of the program: see its last line, and report it",
    74: "reading or writing failed: see its last line",
    77: "a server refused access: give the program's user the permission that its last line names",
    78: "the configuration is wrong or something is missing: do what its last line says, then clear this task",
}
_FINAL_EXIT_CODES = frozenset({2, 77, 78})
# Too many dead letters: another try would begin after them, and end well before a person has looked at them.
_TOO_MANY_DEAD_LETTERS = frozenset({("transform-store", 65), ("aggregate", 65)})
NOTHING_TO_DO = 99


@dataclass(frozen=True)
class Job:
    """A program with its arguments, as one try of a task runs it."""

    name: str  # of the task, for people: `sparking_flow.python_job`
    program: str
    arguments: tuple[str, ...]
    members: int = 1  # of the consumer group; only Spark starts more than one


class Runner(Protocol):
    def run(self, context: Mapping[str, Any]) -> str: ...

    def stop(self) -> None: ...


class ProgramFailed(AirflowException):
    """The program, or what should have started it, ended with an exit code that is not success."""

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def ended_with(program: str, exit_code: int) -> ProgramFailed:
    meaning = MEANINGS.get(exit_code, "see its last lines")
    return ProgramFailed(exit_code, f"{program} ended with exit code {exit_code}: {meaning}.")


def is_final(program: str, exit_code: int | None) -> bool:
    """Whether a person has to act, so that another try would change nothing or hide something."""
    return exit_code in _FINAL_EXIT_CODES or (program, exit_code) in _TOO_MANY_DEAD_LETTERS


def default() -> str:
    """The runner of runs that name none."""
    name = os.environ.get("STREAMFLOW_RUNNER") or NAMES[0]
    if name not in NAMES:
        raise ValueError(f"STREAMFLOW_RUNNER is {name!r}, but the runners are {', '.join(NAMES)}")
    return name


def make(name: str, job: Job) -> Runner:
    if job.members > 1 and name != "spark":
        raise ProgramFailed(
            78,
            f"{job.members} members were asked for, and the runner {name!r} starts one: take the runner 'spark', or 1 member.",
        )
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ImportError as missing:
        raise ProgramFailed(
            78,
            f"the runner {name!r} needs a package that Airflow's Python does not have ({missing.name}): "
            f"install the packages of local/requirements/airflow.in, then clear this task.",
        ) from missing
    return module.Runner(job)


def program_environment() -> dict[str, str]:
    """The variables of this process that the programs read: servers, secrets and log level, for where they are not inherited."""
    ours = {k: v for k, v in os.environ.items() if k.startswith(_OF_THE_PROGRAMS) and not k.startswith(_OF_THIS_MACHINE)}
    return {"RUST_LOG": "info", **ours}


def compiled(program: str) -> Path:
    """Where the compiled program lies: in the folder that STREAMFLOW_BIN_DIR names, else in the repository's build."""
    built = Path(__file__).resolve().parents[2] / "target" / "release"
    return Path(os.environ.get("STREAMFLOW_BIN_DIR") or built) / program


def execute_inside(operator: Any, context: Mapping[str, Any]) -> Any:
    """Executes an operator within another one's task.

    Airflow allows that, with a warning in the log of every task, since somebody may do it by mistake. Here it is meant, so
    that the guard is told which operator is at work.
    """
    from airflow.sdk.bases.operator import ExecutorSafeguard

    token = ExecutorSafeguard.tracker.set(operator)
    try:
        return operator.execute(context)
    finally:
        ExecutorSafeguard.tracker.reset(token)
