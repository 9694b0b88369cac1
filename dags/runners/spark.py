"""Runs the program on a Spark cluster, by SparkSubmitOperator through the connection `spark-conn`.

What is submitted is dags/spark/members.py, which starts the program as Spark tasks, one for each member of the consumer
group.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException, AirflowSkipException

from . import NOTHING_TO_DO, Job, ProgramFailed, compiled, ended_with, execute_inside, program_environment

CONNECTION = "spark-conn"
APPLICATION = Path(__file__).resolve().parents[1] / "spark" / "members.py"
LOGGING = APPLICATION.with_name("log4j2.properties")

HOW_TO_MAKE_IT = (
    f"make the connection {CONNECTION} in Admin → Connections: type Spark, host spark://HOST, port 7077, deploy mode "
    "client, Spark binary spark-submit; then clear this task"
)


class Runner:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.operator: SparkSubmitOperator | None = None

    def run(self, context: Any) -> str:
        self._check_what_a_submission_needs()
        # spark-submit writes lines of its own after the application's last one, so that the summary comes by a file.
        with tempfile.TemporaryDirectory(prefix="streamflow-") as folder:
            summary = Path(folder) / "summary.json"
            self.operator = self._operator(summary)
            try:
                execute_inside(self.operator, context)
            except AirflowException as failure:
                raise self._explained(failure) from None
            return summary.read_text()

    def stop(self) -> None:
        if self.operator:
            self.operator.on_kill()

    def _operator(self, summary: Path) -> SparkSubmitOperator:
        options = {"--members": self.job.members, "--summary-file": summary, "--end-with": os.getpid()}
        return SparkSubmitOperator(
            task_id=self.job.program,
            conn_id=CONNECTION,
            application=str(APPLICATION),
            name=f"{self.job.name} ({self.job.program})",
            files=str(compiled(self.job.program)),
            conf={"spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"},
            application_args=[f"{k}={v}" for k, v in options.items()] + [self.job.program, *self.job.arguments],
            env_vars=program_environment(),
        )

    def _check_what_a_submission_needs(self) -> None:
        try:
            connection = BaseHook.get_connection(CONNECTION)
        except AirflowNotFoundException:
            # Without it the operator would submit to a YARN cluster.
            raise ProgramFailed(78, f"Airflow has no connection {CONNECTION}: {HOW_TO_MAKE_IT}.") from None
        master = connection.host or ""
        if connection.conn_type != "spark" or not (master.startswith("spark://") or connection.port):
            raise ProgramFailed(
                78,
                f"the connection {CONNECTION} leads to no Spark master (type {connection.conn_type!r}, host {master!r}, port "
                f"{connection.port}): {HOW_TO_MAKE_IT}.",
            )
        binary = connection.extra_dejson.get("spark-binary", "spark-submit")
        if not shutil.which(binary):
            raise ProgramFailed(
                78,
                f"{binary} is not on the PATH of this Airflow worker: install Spark there (PyPI: pyspark), put its bin folder on "
                "the PATH, then clear this task.",
            )
        program = compiled(self.job.program)
        if not os.access(program, os.X_OK):
            raise ProgramFailed(
                78,
                f"there is no program {program} to hand to Spark: build it with 'make build', or let STREAMFLOW_BIN_DIR of the "
                "Airflow workers name the folder that holds it; then clear this task.",
            )

    def _explained(self, failure: AirflowException) -> Exception:
        code = re.search(r"Error code is: (-?\d+)\.", str(failure))
        if not code:
            return failure
        if int(code[1]) == NOTHING_TO_DO:
            return AirflowSkipException(f"{self.job.program} had nothing to do.")
        return ended_with(self.job.program, int(code[1]))
