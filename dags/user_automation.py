"""### Users from the API to the topic `user_created`

**fetch_publish** pages through the random user API, lands every raw record in PostgreSQL, publishes what is landed
to the Kafka topic `user_created`, and marks it published once the broker has acknowledged it.

* It runs daily, from the moment its toggle is switched on, and whenever it is triggered. One run at a time.
* *Trigger* opens a form: number of users, seed, nationalities, page size, address of the API, and the runner (as a
  process of the worker, in a container, or on Spark).
* Without a seed it takes the id of its run: a run that is retried or cleared fetches the same users again,
  and since a user's id comes from the API, that changes nothing downstream.
* When it has published, Airflow updates the asset `user_created`, which starts `sparking_flow`.

Its XCom is the summary: `fetched` = `landed` + `already_landed` + `conflicting` + `rejected`, and `published`.
A record that is not landed is kept apart in PostgreSQL with the reason.
"""

from __future__ import annotations

from datetime import timedelta

import run_params
from airflow.sdk import DAG
from house_rules import DEFAULT_ARGS, START_DATE, TAGS, USER_CREATED
from rust_job import rust_job

# The run's id, kept clear of the one length that the API reads as something else.
_CLEAR = f"run_id | length != {run_params.REFUSED_SEED_LENGTH}"
SEED = "{{ params.seed or (run_id if " + _CLEAR + " else 'run-' ~ run_id) }}"

with DAG(
    dag_id="user_automation",
    description="Fetches users from the API, lands them in PostgreSQL and publishes them to Kafka",
    doc_md=__doc__,
    schedule="@daily",
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[*TAGS, "kafka", "postgresql"],
    params={
        "users": run_params.users(),
        "seed": run_params.seed(),
        "nationalities": run_params.nationalities("Fetch only users of these nationalities."),
        "page_size": run_params.page_size(),
        "api_url": run_params.api_url(),
        "runner": run_params.runner(),
    },
):
    rust_job(
        task_id="fetch_publish",
        program="fetch-publish",
        arguments=[
            "--users={{ params.users }}",
            "--page-size={{ params.page_size }}",
            "--seed=" + SEED,
            "--nationalities={{ params.nationalities or '' }}",
            "--api-url={{ params.api_url or '' }}",
        ],
        outlets=[USER_CREATED],
        execution_timeout=timedelta(hours=2),
        doc_md="Runs `fetch-publish`: API → PostgreSQL `landed_users` → Kafka `user_created`. Safe to clear and run "
        "again: what is already landed is counted as such, what is not yet published is published.",
    )
