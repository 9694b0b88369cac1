"""### Users from the topic `user_created` to Cassandra

```
start ──┬── python_job ──┬── end
        └── java_job ────┘
```

* **start** prints "Jobs started".
* **python_job** runs `transform-store`: decodes, cleans, filters and stores each user in
  `spark_streams.created_users`; what cannot be used goes, raw, to the topic `user_created.dead_letters`.
* **java_job** runs `aggregate`: keeps exact numbers of users in `spark_streams.user_summaries` and prints them as a
  table in its log.
* **end** prints "Jobs completed successfully".

Both jobs read the whole topic, each in a consumer group of its own, from where the last run ended to the offsets that
were the latest when this run began; a record that arrives later is left for the next run.

It runs as soon as its toggle is switched on, daily, and whenever `user_automation` has published (asset
`user_created`). One run at a time. *Trigger* opens a form with filters; without them every user is taken. A filtered
record counts as read: a later run without the filter does not read it again.

The form also chooses the runner: both jobs run as processes of the Airflow worker (`bash`), in containers (`docker`), or
on the Spark cluster of the connection `spark-conn` (`spark`), there with as many members of each consumer group as wished.

XCom of both jobs: `consumed` is the sum of what was stored (or counted), filtered and dead-lettered; `offsets` has, by
partition, the first offset and the one after the last.
"""

from __future__ import annotations

from datetime import timedelta

import run_params
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable
from house_rules import DEFAULT_ARGS, START_DATE, TAGS, USER_CREATED
from rust_job import rust_job

# The same for both jobs, so that the table and the summaries speak of the same users.
FILTERS = ["--min-age={{ params.min_age or '' }}", "--nationalities={{ params.nationalities or '' }}"]

JOB_TIMEOUT = timedelta(hours=1)


def say(sentence: str) -> None:
    print(sentence)


with DAG(
    dag_id="sparking_flow",
    description="Stores the published users in Cassandra and keeps the summaries of them",
    doc_md=__doc__,
    # An asset alone would leave a toggle without effect until the next event; the time schedule makes it start a run.
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("@daily", timezone="UTC"), assets=[USER_CREATED]),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[*TAGS, "kafka", "cassandra"],
    params={
        "min_age": run_params.min_age(),
        "nationalities": run_params.nationalities("Keep only users of these nationalities."),
        "runner": run_params.runner(),
        "members": run_params.members(),
    },
):
    start = PythonOperator(
        task_id="start",
        python_callable=say,
        op_args=["Jobs started"],
        doc_md='Prints "Jobs started".',
    )
    python_job = rust_job(
        task_id="python_job",
        program="transform-store",
        arguments=["--until-latest", *FILTERS],
        execution_timeout=JOB_TIMEOUT,
        doc_md="Runs `transform-store`: Kafka `user_created` → Cassandra `created_users`, and what cannot be used → "
        "Kafka `user_created.dead_letters`. Safe to clear: offsets are committed only behind what was stored.",
    )
    java_job = rust_job(
        task_id="java_job",
        program="aggregate",
        arguments=["--until-latest", *FILTERS],
        execution_timeout=JOB_TIMEOUT,
        doc_md="Runs `aggregate`: Kafka `user_created` → Cassandra `user_summaries`. Safe to clear: a summary and the "
        "offsets that it covers are written in one step, so that no user counts twice.",
    )
    end = PythonOperator(
        task_id="end",
        python_callable=say,
        op_args=["Jobs completed successfully"],
        # A job that found nothing to do may be skipped (exit code 99); a failed one still keeps this from running.
        trigger_rule="none_failed",
        doc_md='Prints "Jobs completed successfully".',
    )
    start >> [python_job, java_job] >> end
