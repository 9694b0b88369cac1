"""A running Airflow with the whole stack behind it, for the tests that need one.

They run when `local/stack env` has been read into the environment, and are skipped by name where it has not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow_rest import Airflow

DAG_IDS = ["user_automation", "sparking_flow"]

needs_airflow = pytest.mark.skipif(
    "AIRFLOW_URL" not in os.environ,
    reason='AIRFLOW_URL is not set: no running Airflow. Start the stack, then: eval "$(local/stack env)"',
)

needs_engine = pytest.mark.skipif(
    bool(os.environ.get("STREAMFLOW_NO_DOCKER")) or "DOCKER_HOST" not in os.environ,
    reason=os.environ.get("STREAMFLOW_NO_DOCKER") or "DOCKER_HOST is not set: no Docker engine that Airflow can use",
)


def connect() -> Airflow:
    """Airflow with both DAGs on and nothing running."""
    airflow = Airflow(os.environ["AIRFLOW_URL"])
    for dag_id in DAG_IDS:
        airflow.wait_for_dag(dag_id, timeout_s=60)
        airflow.unpause(dag_id)
    wait_until_quiet(airflow)
    return airflow


def wait_until_quiet(airflow: Airflow, timeout_s: float = 300) -> None:
    """Waits until no run of either DAG is active and none is about to start."""

    def is_quiet() -> bool:
        due = any([airflow.is_run_due(dag_id) for dag_id in DAG_IDS])
        return not due and not any(run["state"] in ("queued", "running") for d in DAG_IDS for run in airflow.runs(d))

    # Twice: a run may end, and its asset event start another, between two of the requests.
    wait_for(lambda: is_quiet() and is_quiet(), timeout_s, "both DAGs at rest")


def wait_for(condition: Callable[[], object], timeout_s: float, what: str) -> float:
    """Seconds until the condition held."""
    start = time.monotonic()
    while not condition():
        waited = time.monotonic() - start
        assert waited < timeout_s, f"no {what} after {timeout_s:.0f} s"
        time.sleep(0.25)
    return time.monotonic() - start


def processes_with(argument: str) -> list[int]:
    """The processes that have `argument` on their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # It has ended meanwhile.
            continue
        if argument.encode() in words:
            found.append(int(folder.name))
    return found
