"""The bounds of the trigger forms, each from both sides, and the seed of a run."""

from __future__ import annotations

import pytest
import run_params
from airflow.sdk.exceptions import ParamValidationError
from run_params import NATIONALITY_CODES

ALL_CODES = ",".join(NATIONALITY_CODES)

ACCEPTED = [
    ("user_automation", "users", [1, 1000, 1_000_000]),
    ("user_automation", "page_size", [1, 5000]),
    ("user_automation", "seed", ["", None, "abc", "a" * 17, "a" * 19, "a" * 100, "manual__2026-01-01T00:00:00+00:00"]),
    ("user_automation", "nationalities", ["", None, "gb", "gb,fr", ALL_CODES]),
    ("user_automation", "api_url", ["", None, "http://127.0.0.1:8100/api/", "https://randomuser.me/api/?lego"]),
    ("user_automation", "runner", ["bash", "docker", "spark"]),
    ("sparking_flow", "min_age", [0, 18, 120]),
    ("sparking_flow", "nationalities", ["", None, "gb", "gb,fr", ALL_CODES]),
    ("sparking_flow", "runner", ["bash", "docker", "spark"]),
    ("sparking_flow", "members", [1, 2, 64]),
]
REFUSED = [
    ("user_automation", "users", [0, -1, 1_000_001, 1.5, "1000", None, ""]),
    ("user_automation", "page_size", [0, 5001, "10", None]),
    ("user_automation", "seed", ["a" * 18, "a" * 101, "a b", "a\n", "a'b", 'a"b', "$(id)", "ä", "a;b", "a\0", 7]),
    (
        "user_automation",
        "nationalities",
        ["GB", "gb, fr", "gb,", ",gb", "xx", "gb;fr", "gb\n", ALL_CODES + ",gb", ["gb"]],
    ),
    (
        "user_automation",
        "api_url",
        [
            "randomuser.me",
            "ftp://randomuser.me",
            "file:///etc/passwd",
            "https://",
            "https://user:secret@randomuser.me/",
            "http://a b",
            "http://a\n",
            "http://" + "a" * 500,
        ],
    ),
    ("user_automation", "runner", ["", None, "Bash", "k8s", ["spark"]]),
    ("sparking_flow", "min_age", [-1, 121, "18", 1.5, None]),
    ("sparking_flow", "nationalities", ["GB", "gb, fr", "xx", "gb\n"]),
    ("sparking_flow", "runner", ["", None, "Spark", "bash\n"]),
    ("sparking_flow", "members", [0, -1, 65, 1.5, "2", None]),
]


def cases(table):
    return [(dag_id, name, value) for dag_id, name, values in table for value in values]


@pytest.mark.parametrize(("dag_id", "name", "value"), cases(ACCEPTED))
def test_a_value_within_the_bounds_is_taken(dags, dag_id, name, value):
    assert dags[dag_id].params.get_param(name).resolve(value) == value


@pytest.mark.parametrize(("dag_id", "name", "value"), cases(REFUSED))
def test_a_value_outside_the_bounds_is_refused(dags, dag_id, name, value):
    with pytest.raises(ParamValidationError):
        dags[dag_id].params.get_param(name).resolve(value)


def test_no_param_is_left_out_here(dags):
    known = {(dag_id, name) for dag_id in dags for name in dags[dag_id].params}
    assert {case[:2] for case in ACCEPTED} == {case[:2] for case in REFUSED} == known


@pytest.mark.parametrize("dag_id", ["sparking_flow", "user_automation"])
def test_the_defaults_make_a_run(dags, dag_id):
    dags[dag_id].params.validate()


@pytest.mark.parametrize(
    ("given", "run_id", "seed"),
    [
        ("abc", "manual__1", "abc"),
        ("", "scheduled__2026-01-01T00:00:00+00:00", "scheduled__2026-01-01T00:00:00+00:00"),
        (None, "manual__1", "manual__1"),
        ("", "exactly-18-letters", "run-exactly-18-letters"),
    ],
)
def test_the_seed_is_the_given_one_or_the_id_of_the_run(dags, given, run_id, seed):
    (argument,) = [a for a in dags["user_automation"].get_task("fetch_publish").arguments if a.startswith("--seed=")]
    rendered = dags["user_automation"].get_task("fetch_publish").render_template(
        argument, {"params": {"seed": given}, "run_id": run_id}
    )
    assert rendered == f"--seed={seed}"
    assert len(seed) != 18


def test_the_runner_s_default_is_that_of_the_airflow_servers(monkeypatch):
    monkeypatch.setenv("STREAMFLOW_RUNNER", "spark")
    assert run_params.runner().value == "spark"
    monkeypatch.setenv("STREAMFLOW_RUNNER", "yarn")
    with pytest.raises(ValueError, match="STREAMFLOW_RUNNER is 'yarn', but the runners are bash, docker, spark"):
        run_params.runner()
