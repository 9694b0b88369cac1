"""What is wrong with a runner's surroundings is told in the last line of the task's log, with what to do.

The runners' good days are in test_rust_job.py (bash) and test_live_runners.py.
"""

from __future__ import annotations

import json

import pytest
import runners
import rust_job as subject


def run_with(runner: str, **params):
    task = subject.rust_job(task_id="try", program="fake", arguments=["--until-latest"])
    return task.execute({"params": {"runner": runner, **params}, "run_id": "run"})


@pytest.fixture
def spark_conn(monkeypatch):
    """spark_conn(...): the connection as Airflow would read it, here from its environment variable."""

    def make(**fields):
        monkeypatch.setenv("AIRFLOW_CONN_SPARK-CONN", json.dumps(fields))

    return make


GOOD = {"conn_type": "spark", "host": "spark://127.0.0.1", "port": 7077, "extra": {"deploy-mode": "client"}}


def failure_of(runner: str, **params) -> runners.ProgramFailed:
    with pytest.raises(runners.ProgramFailed) as failure:
        run_with(runner, **params)
    return failure.value


@pytest.mark.parametrize("runner", ["bash", "docker"])
def test_several_members_need_spark(runner):
    failure = failure_of(runner, members=2)
    assert failure.exit_code == 78
    assert "take the runner 'spark', or 1 member" in str(failure)


def test_a_package_that_airflow_lacks_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "runners.docker", None)
    failure = failure_of("docker")
    assert failure.exit_code == 78
    assert "needs a package that Airflow's Python does not have" in str(failure)


def test_an_engine_that_does_not_answer_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    failure = failure_of("docker")
    assert failure.exit_code == 69
    assert f"no Docker engine answers at unix://{tmp_path}/none.sock" in str(failure)
    assert "start it, or let DOCKER_HOST" in str(failure)


def test_a_program_that_is_not_built_is_named(spark_conn, bin_dir, tmp_path, monkeypatch):
    spark_conn(**GOOD)
    put_on_path("spark-submit", tmp_path, monkeypatch)
    failure = failure_of("spark")
    assert failure.exit_code == 78
    assert f"there is no program {bin_dir / 'fake'} to hand to Spark: build it with 'make build'" in str(failure)


def test_spark_submit_must_be_there(spark_conn, monkeypatch, tmp_path):
    spark_conn(**GOOD)
    monkeypatch.setenv("PATH", str(tmp_path))
    failure = failure_of("spark")
    assert failure.exit_code == 78
    assert "spark-submit is not on the PATH of this Airflow worker: install Spark there" in str(failure)


@pytest.mark.parametrize(
    "fields",
    [{"conn_type": "http", "host": "example", "port": 80}, {"conn_type": "spark"}, {"conn_type": "spark", "host": "yarn"}],
)
def test_a_connection_that_leads_to_no_master_is_told(spark_conn, fields):
    spark_conn(**fields)
    failure = failure_of("spark")
    assert failure.exit_code == 78
    assert "the connection spark-conn leads to no Spark master" in str(failure)
    assert "Admin → Connections" in str(failure)


@pytest.mark.parametrize("code", [1, 69, 78])
def test_an_exit_code_of_spark_submit_is_the_program_s(spark_conn, make_program, monkeypatch, tmp_path, code):
    spark_conn(**GOOD)
    make_program("fake", "")
    put_on_path("spark-submit", tmp_path, monkeypatch, f"#!/bin/sh\nexit {code}\n")
    failure = failure_of("spark")
    assert failure.exit_code == code
    assert str(failure).startswith(f"fake ended with exit code {code}: ")


def put_on_path(name, folder, monkeypatch, text="#!/bin/sh\n"):
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
