"""Both DAGs through Airflow's own scheduler, on the real servers: from the API to Cassandra."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import demo_counts
import psycopg2
import pytest
from airflow_rest import AirflowError
from live import connect, needs_airflow, wait_until_quiet

pytestmark = needs_airflow

USERS = 200


@pytest.fixture(scope="module")
def airflow():
    return connect()


@pytest.fixture(scope="module")
def seed():
    return f"test-{uuid.uuid4()}"


@pytest.fixture(scope="module")
def first(airflow, seed):
    return Round(airflow, seed)


class Round:
    """user_automation once, and the run of sparking_flow that follows from it, with the counts on both sides."""

    def __init__(self, airflow, seed: str) -> None:
        self.airflow = airflow
        self.before = counts()
        earlier = {run["dag_run_id"] for run in airflow.runs("sparking_flow")}
        self.fetch_run = airflow.trigger("user_automation", {"users": USERS, "seed": seed, "page_size": 64})
        self.fetch_state = airflow.wait_for_run("user_automation", self.fetch_run, timeout_s=180)
        wait_until_quiet(airflow)
        (self.flow,) = [run for run in airflow.runs("sparking_flow") if run["dag_run_id"] not in earlier]
        self.after = counts()

    def summary(self, dag_id: str, task_id: str) -> dict[str, Any]:
        return self.airflow.xcom(dag_id, self._run(dag_id), task_id)

    def log(self, dag_id: str, task_id: str) -> list[str]:
        task = self.airflow.task(dag_id, self._run(dag_id), task_id)
        return self.airflow.log_lines(dag_id, self._run(dag_id), task_id, task["try_number"])

    def _run(self, dag_id: str) -> str:
        return self.fetch_run if dag_id == "user_automation" else self.flow["dag_run_id"]

    def grown_by(self) -> dict[str, int]:
        return {name: self.after[name] - self.before[name] for name in self.after}


def counts() -> dict[str, int]:
    landing = demo_counts.landing()
    totals = demo_counts.summary_totals()
    assert len(set(totals.values())) <= 1, f"the dimensions of user_summaries count different numbers: {totals}"
    return {
        "landed": landing.landed,
        "published": landing.published,
        "created_users": demo_counts.created_users(),
        "summarised": next(iter(totals.values()), 0),
    }


def test_publishing_starts_sparking_flow_and_both_succeed(first):
    assert first.fetch_state == "success"
    assert first.flow["run_type"] == "asset_triggered"
    assert first.flow["state"] == "success"


def test_every_store_grows_by_exactly_the_users_fetched(first):
    assert first.grown_by() == dict.fromkeys(first.after, USERS)


def test_the_summaries_add_up(first, seed):
    fetched = first.summary("user_automation", "fetch_publish")
    assert fetched["seed"] == seed
    parts = ["landed", "already_landed", "conflicting", "rejected"]
    assert fetched["fetched"] == USERS == sum(fetched[part] for part in parts)
    assert fetched["published"] == USERS
    stored = first.summary("sparking_flow", "python_job")
    assert stored["consumed"] == USERS == stored["stored"] + stored["filtered"] + stored["dead_lettered"]
    counted = first.summary("sparking_flow", "java_job")
    parts = ["counted", "already_counted", "filtered", "dead_lettered"]
    assert counted["consumed"] == USERS == sum(counted[part] for part in parts)


def test_the_logs_hold_the_sentences_and_the_summaries(first):
    assert "Jobs started" in first.log("sparking_flow", "start")
    assert "Jobs completed successfully" in first.log("sparking_flow", "end")
    for dag_id, task_id in [
        ("user_automation", "fetch_publish"),
        ("sparking_flow", "python_job"),
        ("sparking_flow", "java_job"),
    ]:
        (line,) = [line for line in first.log(dag_id, task_id) if line.startswith("{")]
        assert json.loads(line) == first.summary(dag_id, task_id)


def shown(path: str) -> dict[str, Any]:
    """What the control center tells of it."""
    request = Request(os.environ["CONTROL_CENTER_URL"] + path, headers={"Accept": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)


def a_user_of(seed: str) -> str:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text FROM landed_users WHERE seed = %s LIMIT 1", (seed,))
        (user,) = cursor.fetchone()
    connection.close()
    return user


def places(spans: dict[str, list[int]]) -> set[tuple[int, int]]:
    """Partition and offset of each record in the spans of a summary."""
    return {
        (int(partition), offset)
        for partition, bounds in spans.items()
        for first, end in zip(bounds[::2], bounds[1::2], strict=True)
        for offset in range(first, end)
    }


def test_the_jobs_tell_the_same_offsets(first):
    published = places(first.summary("user_automation", "fetch_publish")["offsets"])
    assert len(published) == USERS
    for job in ["python_job", "java_job"]:
        assert places(first.summary("sparking_flow", job)["offsets"]) == published


def test_the_control_center_shows_the_runs_with_their_sums(first):
    for dag_id, run_id, task_ids in [
        ("user_automation", first.fetch_run, ["fetch_publish"]),
        ("sparking_flow", first.flow["dag_run_id"], ["python_job", "java_job"]),
    ]:
        listed = {dag["name"]: dag["runs"]["runs"] for dag in shown("/runs")["dags"]}
        assert run_id in [run["id"] for run in listed[dag_id]]
        run = shown(f"/runs/{dag_id}/{quote(run_id, safe='')}")["run"]
        assert (run["dag"], run["id"], run["state"]) == (dag_id, run_id, "success")
        tasks = {task["id"]: task for task in run["tasks"]}
        for task_id in task_ids:
            summary = first.summary(dag_id, task_id)
            sums = {it["name"]: it["value"] for it in tasks[task_id]["sums"]}
            wanted = {name: value for name, value in summary.items() if name not in ("job", "offsets")}
            assert sums == wanted
            assert tasks[task_id]["offsets"] and "/dags/" in tasks[task_id]["log"]


def test_a_user_leads_to_the_runs_that_had_it(first, seed):
    facts = shown(f"/explain?user_id={a_user_of(seed)}")
    assert facts["outcome"]["is"] == "stored"
    runs = facts["runs"]
    assert [run["id"] for run in runs["published"]] == [first.fetch_run]
    for job in ["transform_store", "aggregate"]:
        assert [run["id"] for run in runs[job]] == [first.flow["dag_run_id"]]


def test_the_same_seed_again_changes_no_count(airflow, first, seed):
    again = Round(airflow, seed)
    assert (again.fetch_state, again.flow["state"]) == ("success", "success")
    assert again.grown_by() == dict.fromkeys(first.after, 0)
    summary = again.summary("user_automation", "fetch_publish")
    assert (summary["landed"], summary["already_landed"], summary["published"]) == (0, USERS, 0)


def test_another_seed_adds_exactly_its_number(airflow, first):
    other = Round(airflow, f"test-{uuid.uuid4()}")
    assert (other.fetch_state, other.flow["state"]) == ("success", "success")
    assert other.grown_by() == dict.fromkeys(first.after, USERS)


@pytest.mark.parametrize(
    "conf",
    [{"users": 0}, {"seed": "a" * 18}, {"nationalities": "xx"}, {"page_size": 5001}, {"api_url": "file:///"}],
    ids=str,
)
def test_a_param_out_of_bounds_makes_no_run(airflow, conf):
    with pytest.raises(AirflowError, match=f"Invalid input for param {next(iter(conf))}") as refused:
        airflow.trigger("user_automation", conf)
    assert refused.value.status == 400
