"""Airflow's four services are prepared side by side, and all of them need its keys."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local"))

from streamflow_stack.services import airflow  # noqa: E402


def test_all_get_the_same_keys_and_nobody_else_can_read_them(tmp_path):
    for number in range(100):
        stack = SimpleNamespace(airflow_home=tmp_path / str(number))
        with ThreadPoolExecutor(6) as pool:
            keys = list(pool.map(lambda _: airflow._secrets(stack), range(6)))
        assert all(it == keys[0] for it in keys)
        (file,) = stack.airflow_home.iterdir()
        assert file.name == "secrets.json" and stat.S_IMODE(file.stat().st_mode) == 0o600
