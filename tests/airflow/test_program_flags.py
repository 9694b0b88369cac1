"""The DAGs and the programs speak of the same flags. Needs the built programs; skipped by name where there are none."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import rust_job

BIN_DIR = Path(os.environ.get("STREAMFLOW_BIN_DIR") or rust_job.DEFAULT_BIN_DIR)


@pytest.mark.parametrize(
    ("dag_id", "task_id", "program"),
    [
        ("user_automation", "fetch_publish", "fetch-publish"),
        ("sparking_flow", "python_job", "transform-store"),
        ("sparking_flow", "java_job", "aggregate"),
    ],
)
def test_a_program_knows_every_flag_that_its_task_gives(dags, dag_id, task_id, program):
    if not (BIN_DIR / program).exists():
        pytest.skip(f"{BIN_DIR / program} is not built")
    command = dags[dag_id].get_task(task_id).bash_command
    assert f" {program} " in command
    given = re.findall(r"--[a-z-]+", command)
    text = subprocess.run([BIN_DIR / program, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
    known = set(re.findall(r"--[a-z-]+", text))
    assert given
    assert set(given) <= known
