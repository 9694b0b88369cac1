"""Counts what lies in PostgreSQL and Cassandra, for the demo and the tests; psycopg2 comes with Airflow's Python."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHAT_TO_DO = "Is it up ('make status'), and has 'streamflow init' made its tables ('make up' does)?"
STACK = Path(__file__).resolve().parent / "stack"


@dataclass(frozen=True)
class Landing:
    """What PostgreSQL holds, over all runs."""

    landed: int
    published: int
    kept_apart: int


class CountError(Exception):
    """A store that did not answer."""


def landing() -> Landing:
    import psycopg2

    try:
        connection = psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=10)
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM landed_users), (SELECT count(*) FROM published_users),"
                " (SELECT count(*) FROM kept_apart_users)"
            )
            counts = Landing(*cursor.fetchone())
        connection.close()
    except psycopg2.Error as error:
        raise CountError(f"PostgreSQL cannot be counted: {_first_line(error)}. {WHAT_TO_DO}") from None
    return counts


def created_users() -> int:
    return cql("SELECT JSON count(*) FROM created_users")[0]["count"]


def summary_totals() -> dict[str, int]:
    """The sum of the users in each dimension of user_summaries; every dimension counts every user once."""
    totals: dict[str, int] = {}
    for row in cql("SELECT JSON dimension, users FROM user_summaries"):
        if row["dimension"] is not None:
            totals[row["dimension"]] = totals.get(row["dimension"], 0) + row["users"]
    return totals


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def cql(statement: str) -> list[dict[str, Any]]:
    """The rows of a SELECT JSON statement in the keyspace of the jobs; of texts without quotes, which cqlsh does not print as JSON."""
    return [json.loads(line) for line in cql_lines(statement) if line.startswith("{")]


def cql_lines(statement: str) -> list[str]:
    """What cqlsh prints for a statement in the keyspace of the jobs."""
    keyspace = os.environ.get("CASSANDRA_KEYSPACE", "spark_streams")
    command = [str(STACK), "cql", "--no-color", "--request-timeout=120", f"--keyspace={keyspace}"]
    # PAGING OFF: else cqlsh writes a prompt after each hundred rows.
    done = subprocess.run(
        [*command, "--execute", f"PAGING OFF; {statement}"], capture_output=True, text=True, timeout=180, check=False
    )
    if done.returncode != 0:
        raise CountError(f"Cassandra cannot be counted: {_first_line(done.stderr)}. {WHAT_TO_DO}")
    return [line.strip() for line in done.stdout.splitlines()]
