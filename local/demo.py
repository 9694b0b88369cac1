"""The demo: switches both DAGs on, triggers user_automation, follows every run to its end, and sums up."""

from __future__ import annotations

import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import demo_report
from airflow_rest import FINAL_STATES, Airflow, AirflowError
from demo_counts import CountError

DAG_IDS = ["user_automation", "sparking_flow"]
PUBLIC_API = "https://randomuser.me/api/"
RUN_KINDS = {"manual": "triggered", "scheduled": "daily", "asset_triggered": "after publishing"}
POLL_SECONDS = 1.0
LOG_LINES_SHOWN = 8

_started = time.monotonic()


class DemoError(Exception):
    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass
class Run:
    dag_id: str
    run_id: str
    name: str
    state: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)


def main() -> int:
    conf, api = _settings()
    airflow = Airflow(os.environ["AIRFLOW_URL"])
    _say(f"users come from {api}")
    for dag_id in DAG_IDS:
        airflow.wait_for_dag(dag_id, timeout_s=60)
    following = Following(airflow)
    for dag_id in DAG_IDS:
        if airflow.dag(dag_id)["is_paused"]:
            airflow.unpause(dag_id)
            _say(f"{dag_id} is switched on; the first time Airflow starts its daily run at once")
    run_id = airflow.trigger("user_automation", conf)
    _say(f"user_automation is triggered: {conf['users']:,} users, seed {conf['seed']}")
    following.to_the_end(own_run=run_id, limit_s=float(os.environ.get("DEMO_TIMEOUT", "600")))
    _say("all runs have ended; counting")
    return demo_report.show(airflow, following.runs, api)


def _settings() -> tuple[dict[str, Any], str]:
    """The params of the run, and where its users come from in words."""
    try:
        users = int(os.environ.get("DEMO_USERS") or 1000)
    except ValueError:
        raise DemoError(f"DEMO_USERS={os.environ['DEMO_USERS']!r} is not a number", 2) from None
    # Twenty-two characters: a seed of eighteen means something else to the API.
    seed = os.environ.get("SEED") or f"demo-{datetime.now(timezone.utc):%Y%m%d}-{secrets.token_hex(4)}"
    conf: dict[str, Any] = {"users": users, "seed": seed}
    chosen = os.environ.get("API") or "bundled"
    if chosen == "bundled":
        return conf, f"the bundled API, {os.environ['STREAMFLOW_API_URL']} (API=public takes {PUBLIC_API})"
    if chosen == "public":
        return conf | {"api_url": PUBLIC_API}, f"the public API, {PUBLIC_API} (daily runs: the bundled one)"
    raise DemoError(f"API={chosen!r} is not known: it is bundled or public", 2)


class Following:
    """Watches the runs that are not over, and those that come, and says each change once."""

    def __init__(self, airflow: Airflow) -> None:
        self.airflow = airflow
        self.runs: list[Run] = []
        self._known = {
            (dag_id, run["dag_run_id"])
            for dag_id in DAG_IDS
            for run in airflow.runs(dag_id)
            if run["state"] in FINAL_STATES
        }

    def to_the_end(self, own_run: str, limit_s: float) -> None:
        """Returns when nothing runs and nothing is about to.

        Twice in a row: a run may end, and its asset event start another, between two of the requests of one look.
        """
        end = time.monotonic() + limit_s
        quiet = 0
        while quiet < 2:
            due = any([self.airflow.is_run_due(dag_id) for dag_id in DAG_IDS])
            for dag_id in DAG_IDS:
                self._look_at(dag_id)
            active = [run.name for run in self.runs if run.state not in FINAL_STATES]
            seen = any(run.run_id == own_run for run in self.runs)
            quiet = quiet + 1 if seen and not due and not active else 0
            if time.monotonic() > end:
                raise DemoError(
                    f"not finished after {limit_s:.0f} s (DEMO_TIMEOUT): {', '.join(active) or 'a run is due'}."
                    " See 'make status', and the runs in Airflow."
                )
            time.sleep(POLL_SECONDS)

    def _look_at(self, dag_id: str) -> None:
        for seen in self.airflow.runs(dag_id):
            if (dag_id, seen["dag_run_id"]) in self._known:
                continue
            run = self._run(dag_id, seen)
            for task in self.airflow.tasks(dag_id, run.run_id):
                self._note_task(run, task)
            if run.state != seen["state"]:
                run.state = seen["state"]
                _say(f"{run.name}: {run.state}")
            if run.state in FINAL_STATES:
                self._known.add((dag_id, run.run_id))

    def _run(self, dag_id: str, seen: dict[str, Any]) -> Run:
        for run in self.runs:
            if (run.dag_id, run.run_id) == (dag_id, seen["dag_run_id"]):
                return run
        number = sum(run.dag_id == dag_id for run in self.runs) + 1
        kind = RUN_KINDS.get(seen["run_type"], seen["run_type"])
        run = Run(dag_id, seen["dag_run_id"], f"{dag_id} #{number} ({kind})")
        self.runs.append(run)
        return run

    def _note_task(self, run: Run, task: dict[str, Any]) -> None:
        before = run.tasks.get(task["task_id"], {})
        run.tasks[task["task_id"]] = task
        state = task["state"]
        if state in (None, "scheduled", "queued") or state == before.get("state"):
            return
        tries = f" (try {task['try_number']} of {task['max_tries'] + 1})" if state == "up_for_retry" else ""
        _say(f"{run.name}: {task['task_id']} {state.replace('_', ' ')}{tries}")
        if state in ("failed", "up_for_retry"):
            log = self.airflow.log_lines(run.dag_id, run.run_id, task["task_id"], task["try_number"])
            tail = demo_report.output_in(log)[-LOG_LINES_SHOWN:]
            print("\n".join(f"    | {line}" for line in tail), flush=True)


def _say(text: str) -> None:
    print(f"[{time.monotonic() - _started:6.1f} s] {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoError as error:
        print(f"local/demo: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (AirflowError, CountError) as error:
        print(f"local/demo: {error}", file=sys.stderr)
        sys.exit(2 if getattr(error, "status", None) == 400 else 69)  # 400: a param out of its bounds
    except KeyboardInterrupt:
        print("local/demo: interrupted; the runs go on in Airflow", file=sys.stderr)
        sys.exit(130)
