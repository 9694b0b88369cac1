"""The DAG files can be read: without errors, without warnings, in no time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import DAGS_FOLDER

DAG_FILES = ["sparking_flow.py", "user_automation.py"]

# In a process of its own, one file at a time, so that nothing is imported before it except Airflow itself.
READ_ONE_FILE = """
import json, sys, time, warnings
from airflow.dag_processing.dagbag import DagBag
sys.path.insert(0, sys.argv[1])
bag = DagBag(sys.argv[1], collect_dags=False)
before = time.monotonic()
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    bag.process_file(sys.argv[1] + "/" + sys.argv[2])
print(json.dumps({
    "seconds": time.monotonic() - before,
    "dags": sorted(bag.dags),
    "errors": bag.import_errors,
    "warnings": [str(w.message) for w in seen] + [w for ws in bag.captured_warnings.values() for w in ws],
}))
"""


@pytest.fixture(scope="module", params=DAG_FILES)
def reading(request):
    done = subprocess.run(
        [sys.executable, "-B", "-c", READ_ONE_FILE, str(DAGS_FOLDER), request.param],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {"file": request.param, **json.loads(done.stdout.splitlines()[-1])}


def test_it_is_read_without_errors_or_warnings(reading):
    assert reading["errors"] == {}
    assert reading["warnings"] == []
    assert reading["dags"] == [reading["file"].removesuffix(".py")]


def test_it_is_read_in_under_a_second(reading):
    assert reading["seconds"] < 1


def test_no_other_file_holds_a_dag(dags):
    assert sorted(dags) == ["sparking_flow", "user_automation"]
