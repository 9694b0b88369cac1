"""A small client of Airflow's REST API (standard library only), for the demo and the tests.

airflow = Airflow("http://127.0.0.1:8080", "admin", "admin")
run_id = airflow.trigger("user_automation", {"users": 200})
airflow.wait_for_run("user_automation", run_id, timeout_s=120)
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from typing import Any

FINAL_STATES = {"success", "failed"}
POLL_SECONDS = 0.5


class AirflowError(Exception):
    """A request that Airflow refused or did not answer; `status` is None when there was no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Airflow:
    def __init__(self, url: str, user: str = "admin", password: str = "admin") -> None:
        self.url = url.rstrip("/")
        self._login = {"username": user, "password": password}
        self._token: str | None = None

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request to /api/v2; logs in first, and again when the token has run out."""
        if self._token is None:
            self._token = self._send("POST", "/auth/token", self._login)["access_token"]
        try:
            return self._send(method, "/api/v2" + path, body)
        except AirflowError as error:
            if error.status != 401:
                raise
        self._token = None
        self._token = self._send("POST", "/auth/token", self._login)["access_token"]
        return self._send(method, "/api/v2" + path, body)

    def _send(self, method: str, path: str, body: Any) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AirflowError(
                f"{method} {path}: Airflow answered {error.code}: {_detail(error)}", error.code
            ) from None
        except OSError as error:
            raise AirflowError(
                f"{method} {path}: no answer from Airflow at {self.url} ({error}). Is it up? See 'make status'."
            ) from None
        return json.loads(text) if text else None

    # DAGs

    def dag(self, dag_id: str) -> dict[str, Any]:
        return self.request("GET", f"/dags/{dag_id}")

    def wait_for_dag(self, dag_id: str, timeout_s: float) -> dict[str, Any]:
        """The DAG, as soon as the dag-processor has read its file."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                return self.dag(dag_id)
            except AirflowError as error:
                if error.status != 404:
                    raise
                if time.monotonic() > end:
                    raise AirflowError(
                        f"Airflow does not know the DAG {dag_id} after {timeout_s:.0f} s: {self.import_errors()}"
                    ) from None
            time.sleep(POLL_SECONDS)

    def import_errors(self) -> str:
        errors = self.request("GET", "/importErrors")["import_errors"]
        if not errors:
            return "it has read no such file; does its dag-processor run?"
        return "; ".join(f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors)

    def unpause(self, dag_id: str) -> None:
        self.request("PATCH", f"/dags/{dag_id}?update_mask=is_paused", {"is_paused": False})

    def is_run_due(self, dag_id: str) -> bool:
        """Whether the scheduler is about to make a run: one is due by the clock, or an asset event waits."""
        dag = self.dag(dag_id)
        due = (dag.get("next_dagrun_run_after") or "").replace("Z", "+00:00")  # Python 3.10 does not know the Z
        if due and not dag["is_paused"] and datetime.fromisoformat(due) <= datetime.now(timezone.utc):
            return True
        try:
            return self.request("GET", f"/dags/{dag_id}/assets/queuedEvents")["total_entries"] > 0
        except AirflowError as error:
            if error.status == 404:  # Airflow's way to say: none.
                return False
            raise

    # Connections

    def connection(self, connection_id: str) -> dict[str, Any]:
        return self.request("GET", f"/connections/{connection_id}")

    def add_connection(self, connection: dict[str, Any]) -> None:
        self.request("POST", "/connections", connection)

    def change_connection(self, connection: dict[str, Any]) -> None:
        self.request("PATCH", f"/connections/{connection['connection_id']}", connection)

    def delete_connection(self, connection_id: str) -> None:
        self.request("DELETE", f"/connections/{connection_id}")

    # Runs

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, run_id: str | None = None) -> str:
        body: dict[str, Any] = {"logical_date": None, "conf": conf or {}}
        if run_id:
            body["dag_run_id"] = run_id
        return self.request("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"]

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        return self.request("GET", f"/dags/{dag_id}/dagRuns/{_quoted(run_id)}")

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """All runs, the oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.request("GET", f"/dags/{dag_id}/dagRuns?order_by=id&limit=100&offset={len(found)}")
            found += page["dag_runs"]
            if not page["dag_runs"] or len(found) >= page["total_entries"]:
                return found

    def wait_for_run(self, dag_id: str, run_id: str, timeout_s: float) -> str:
        """The state in which the run has ended."""
        end = time.monotonic() + timeout_s
        while (state := self.run(dag_id, run_id)["state"]) not in FINAL_STATES:
            if time.monotonic() > end:
                raise AirflowError(f"{dag_id} {run_id} is still {state} after {timeout_s:.0f} s")
            time.sleep(POLL_SECONDS)
        return state

    # Tasks of a run

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        return self.request("GET", f"/dags/{dag_id}/dagRuns/{_quoted(run_id)}/taskInstances")["task_instances"]

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        return self.request("GET", _task_path(dag_id, run_id, task_id))

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        self.request("PATCH", _task_path(dag_id, run_id, task_id), {"new_state": state})

    def clear_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [task_id], "only_failed": False}
        self.request("POST", f"/dags/{dag_id}/clearTaskInstances", body)

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What the task returned, or None."""
        try:
            return self.request("GET", _task_path(dag_id, run_id, task_id) + "/xcomEntries/return_value")["value"]
        except AirflowError as error:
            if error.status == 404:
                return None
            raise

    def log_lines(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        """The messages of the task's log; Airflow may still be writing the last ones."""
        path = _task_path(dag_id, run_id, task_id) + f"/logs/{try_number}?full_content=true"
        return [_log_line(entry) for entry in self.request("GET", path)["content"]]


def _log_line(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    # `reason` is where Airflow says why it does not try again.
    return ": ".join(str(entry[key]) for key in ("event", "reason") if entry.get(key))


def _detail(error: urllib.error.HTTPError) -> str:
    """What Airflow says about it, without the schema that it prints after a refused param."""
    text = error.read().decode(errors="replace")
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = text
    return str(detail).split("\n\nFailed validating")[0][:1000]


def _task_path(dag_id: str, run_id: str, task_id: str) -> str:
    return f"/dags/{dag_id}/dagRuns/{_quoted(run_id)}/taskInstances/{task_id}"


def _quoted(run_id: str) -> str:
    return urllib.parse.quote(run_id, safe="")
