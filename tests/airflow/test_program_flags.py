"""The DAGs and the programs speak of the same flags. Needs the built programs; skipped by name where there are none."""

from __future__ import annotations

import re
import subprocess

import pytest
import runners
from test_spark_members import subject as spark_members


@pytest.mark.parametrize(
    ("dag_id", "task_id", "program"),
    [
        ("user_automation", "fetch_publish", "fetch-publish"),
        ("sparking_flow", "python_job", "transform-store"),
        ("sparking_flow", "java_job", "aggregate"),
    ],
)
def test_a_program_knows_every_flag_that_its_task_gives(dags, dag_id, task_id, program):
    path = runners.compiled(program)
    if not path.exists():
        pytest.skip(f"{path} is not built")
    task = dags[dag_id].get_task(task_id)
    assert task.program == program
    given = [argument.partition("=")[0] for argument in task.arguments]
    text = subprocess.run([path, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    known = set(re.findall(r"--[a-z-]+", text))
    assert given
    assert set(given) <= known


@pytest.mark.parametrize("program", ["fetch-publish", "transform-store", "aggregate"])
def test_every_variable_of_a_program_reaches_it_in_a_container_and_on_spark(monkeypatch, program):
    path = runners.compiled(program)
    if not path.exists():
        pytest.skip(f"{path} is not built")
    text = subprocess.run([path, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    variables = set(re.findall(r"\[env: ([A-Z_]+)", text))
    assert "KAFKA_BOOTSTRAP_SERVERS" in variables
    for name in variables:
        monkeypatch.setenv(name, "given")
    assert variables <= set(runners.program_environment())
    assert all(name.startswith(spark_members.OF_THE_PROGRAMS) for name in variables)
