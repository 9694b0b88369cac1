"""The end of the demo: what each run did, what lies in the stores, and whether the two agree."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import demo_counts

if TYPE_CHECKING:
    from airflow_rest import Airflow
    from demo import Run

SUMMARY_LINES_SHOWN = 24
FETCHED = ["fetched", "landed", "already_landed", "conflicting", "rejected", "published"]
STORED = ["consumed", "stored", "filtered", "dead_lettered"]


def show(airflow: Airflow, runs: list[Run], api: str) -> int:
    """Prints the report; the exit code of the demo."""
    print()
    _show_runs(airflow, runs, "user_automation", "fetch_publish", FETCHED)
    _show_runs(airflow, runs, "sparking_flow", "python_job", STORED)
    _show_summaries(airflow, runs)
    problems = [f"{run.name} is {run.state}; its failed task's log is above" for run in runs if run.state != "success"]
    problems += _show_totals(airflow)
    print(f"Users came from {api}.")
    center = os.environ.get("CONTROL_CENTER_URL", "http://127.0.0.1:9021")
    print(f"To open: the pipeline {_by_name(center)}, Airflow {_by_name(airflow.url)} (admin/admin)")
    for problem in problems:
        print(f"\nPROBLEM: {problem}")
    return 1 if problems else 0


def _by_name(url: str) -> str:
    return url.replace("127.0.0.1", "localhost")


def _show_runs(airflow: Airflow, runs: list[Run], dag_id: str, task_id: str, columns: list[str]) -> None:
    rows = [("run", "state", *(column.replace("_", " ") for column in columns))]
    for run in runs:
        if run.dag_id == dag_id:
            summary = airflow.xcom(dag_id, run.run_id, task_id) or {}
            rows.append((run.name, run.state, *(_number(summary.get(column)) for column in columns)))
    if len(rows) > 1:
        _print_table(rows)


def _show_summaries(airflow: Airflow, runs: list[Run]) -> None:
    """The table that the last java_job has printed in its log."""
    for run in reversed(runs):
        task = run.tasks.get("java_job")
        if task and task["state"] == "success":
            lines = airflow.log_lines(run.dag_id, run.run_id, "java_job", task["try_number"])
            table = _table_in(lines)
            print(f"user_summaries, from the log of java_job of {run.name}:")
            print("\n".join(f"  {line}" for line in table[:SUMMARY_LINES_SHOWN]))
            if len(table) > SUMMARY_LINES_SHOWN:
                print(f"  … and {len(table) - SUMMARY_LINES_SHOWN} more lines there")
            print()
            return


def _table_in(lines: list[str]) -> list[str]:
    """What the program has printed itself: neither its own log lines nor Airflow's."""
    table = []
    for line in output_in(lines):
        if line.startswith("{"):  # the summary of the run, its last line
            break
        if not re.match(r"\[?\d{4}-\d\d-\d\dT", line):
            table.append(line)
    while table and not table[-1].strip():
        table.pop()
    return table


def output_in(log: list[str]) -> list[str]:
    """The log from the program's first line on, without Airflow's marks for folding."""
    start = log.index("Output:") + 1 if "Output:" in log else 0
    return [line for line in log[start:] if not line.startswith(("::group::", "::endgroup::"))]


def _show_totals(airflow: Airflow) -> list[str]:
    """Prints what the stores hold over all runs so far; what is wrong with it."""
    landing = demo_counts.landing()
    created = demo_counts.created_users()
    filtered = dead_lettered = 0
    for run in airflow.runs("sparking_flow"):
        summary = airflow.xcom("sparking_flow", run["dag_run_id"], "python_job") or {}
        filtered += summary.get("filtered", 0)
        dead_lettered += summary.get("dead_lettered", 0)
    expected = landing.published - filtered - dead_lettered
    print("All runs so far:")
    _print_table(
        [
            ("  landed in PostgreSQL", _number(landing.landed)),
            ("  kept apart there, with the reason", _number(landing.kept_apart)),
            ("  published to Kafka", _number(landing.published)),
            ("  filtered", _number(filtered)),
            ("  dead-lettered", _number(dead_lettered)),
            ("  SELECT count(*) FROM spark_streams.created_users", _number(created)),
        ]
    )
    problems = []
    if landing.landed != landing.published:
        problems.append(f"{landing.landed - landing.published:,} users are landed and not published")
    if created != expected:
        problems.append(
            f"created_users holds {created:,} users; published less filtered and dead-lettered are {expected:,}. "
            "Were jobs run by hand, or runs deleted in Airflow? Then these sums do not cover everything."
        )
    else:
        print(f"The table holds exactly what was published, less filtered and dead-lettered: {expected:,} users.")
    return problems


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:,}"


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    texts = 2 if len(rows[0]) > 2 else 1
    for row in rows:
        cells = [
            cell.ljust(width) if column < texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    print()
