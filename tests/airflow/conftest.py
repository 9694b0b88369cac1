"""Shared by the tests of the DAGs. Run with Airflow's Python: `$STREAMFLOW_AIRFLOW_PYTHON -m pytest tests/airflow`.

Airflow reads its settings when it is first imported, so they are made here: a folder of their own, away from any
Airflow that runs on this machine. The tests of a running Airflow (`test_live_*.py`) speak to it over HTTP only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS_FOLDER = REPOSITORY / "dags"

for name in [name for name in os.environ if name.startswith("AIRFLOW__")]:
    del os.environ[name]
_home = tempfile.TemporaryDirectory(prefix="streamflow-airflow-")
os.environ |= {
    "AIRFLOW_HOME": _home.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS_FOLDER),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
}

sys.dont_write_bytecode = True
sys.path[:0] = [str(DAGS_FOLDER), str(REPOSITORY / "local")]


def pytest_configure(config):
    # Airflow's own, about a library of its own.
    config.addinivalue_line("filterwarnings", "ignore:GitWildMatchPattern:DeprecationWarning")


@pytest.fixture(scope="session")
def dags():
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS_FOLDER)
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture
def bin_dir(tmp_path, monkeypatch):
    """An empty folder of programs, which STREAMFLOW_BIN_DIR names."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("STREAMFLOW_BIN_DIR", str(folder))
    return folder


@pytest.fixture
def make_program(bin_dir):
    """make_program(name, text): a program of that name for the tasks to run."""

    def make(name: str, text: str) -> Path:
        path = bin_dir / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    return make
