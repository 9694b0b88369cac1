"""What every DAG of StreamFlow has in common: owner, retries, limits, and the asset that links them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import Asset

# The first day a daily run can stand for. It only has to lie in the past: catchup is off everywhere.
START_DATE = datetime(2025, 1, 1, tzinfo=timezone.utc)

TAGS = ["streamflow", "users"]

# Every task has these; a task that needs another limit says so where it is made.
DEFAULT_ARGS = {
    "owner": "streamflow",
    "retries": 3,
    # 15 s, 30 s, 60 s …: each wait is this many times the one before (a plain True would count as 1, no growth).
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(minutes=5),
}

# The Kafka topic, as Airflow's asset graph shows it. The address is its name there, not a place to connect to.
USER_CREATED = Asset(name="user_created", uri="kafka://localhost:9092/user_created", group="streamflow")
