"""What a user of Airflow expects of every DAG and task, and the shape of the two DAGs."""

from __future__ import annotations

from datetime import timedelta

import pytest

DAG_IDS = ["sparking_flow", "user_automation"]
TASKS = [
    ("user_automation", "fetch_publish"),
    ("sparking_flow", "start"),
    ("sparking_flow", "python_job"),
    ("sparking_flow", "java_job"),
    ("sparking_flow", "end"),
]


@pytest.fixture(params=DAG_IDS)
def dag(request, dags):
    return dags[request.param]


@pytest.fixture(params=TASKS, ids=".".join)
def task(request, dags):
    dag_id, task_id = request.param
    return dags[dag_id].get_task(task_id)


def test_the_list_of_tasks_is_whole(dags):
    assert sorted((dag_id, task.task_id) for dag_id in dags for task in dags[dag_id].tasks) == sorted(TASKS)


def test_a_dag_explains_itself(dag):
    assert len(dag.doc_md) > 300
    assert dag.description
    assert "streamflow" in dag.tags


def test_a_dag_runs_daily_without_catching_up_one_run_at_a_time(dag):
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    timetable = getattr(dag.timetable, "timetable", dag.timetable)
    assert timetable.expression in {"@daily", "0 0 * * *"}


def test_every_param_has_a_title_a_help_text_and_a_default(dag):
    assert dag.params
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema.get("title"), name
        assert param.description or param.schema.get("description_md"), name
        assert param.has_value, name


def test_a_task_has_an_owner_a_text_and_a_limit(task):
    assert task.owner == "streamflow"
    assert task.doc_md
    assert timedelta(0) < task.execution_timeout <= timedelta(hours=2)


def test_a_task_is_retried_with_growing_waits(task):
    assert task.retries == 3
    assert task.retry_delay <= timedelta(minutes=1)
    assert task.retry_exponential_backoff > 1, "True counts as 1 in Airflow 3.3, which is no growth"
    assert task.max_retry_delay <= timedelta(minutes=10)


def test_sparking_flow_runs_both_jobs_in_parallel_between_start_and_end(dags):
    flow = dags["sparking_flow"]
    assert flow.get_task("start").upstream_task_ids == set()
    assert flow.get_task("start").downstream_task_ids == {"python_job", "java_job"}
    assert flow.get_task("end").upstream_task_ids == {"python_job", "java_job"}
    assert flow.get_task("end").downstream_task_ids == set()


def test_user_automation_publishes_the_asset_that_sparking_flow_waits_for(dags):
    (outlet,) = dags["user_automation"].get_task("fetch_publish").outlets
    assert outlet.name == "user_created"
    assert outlet.uri.startswith("kafka://")
    awaited = dags["sparking_flow"].timetable.asset_condition
    assert list(awaited.objects) == [outlet]


def test_start_and_end_say_their_sentences(dags, capsys):
    for task_id, sentence in [("start", "Jobs started"), ("end", "Jobs completed successfully")]:
        task = dags["sparking_flow"].get_task(task_id)
        task.python_callable(*task.op_args)
        assert capsys.readouterr().out == sentence + "\n"


def test_both_jobs_of_a_run_filter_alike(dags):
    flow = dags["sparking_flow"]
    assert flow.get_task("python_job").arguments == flow.get_task("java_job").arguments
