"""Makes the Airflow task that runs one of StreamFlow's programs.

    rust_job(task_id="python_job", program="transform-store", arguments=["--min-age={{ params.min_age }}"])

An argument is a flag, or `--flag=value` whose value may be a template; one whose value comes out empty is left out.
The run's params `runner` (bash, docker, spark) and `members` say where and how often the program is started; the
arguments, the summary and the exit codes are the same everywhere. The program's last line of output is one JSON object,
which becomes the task's XCom.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import runners
from airflow.sdk import BaseOperator, RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException
from runners.supervisor import ended_with_the_supervisor


def rust_job(
    *,
    task_id: str,
    program: str,
    arguments: Sequence[str] = (),
    **task_options: Any,
) -> RustJob:
    """The task `task_id`, which runs `program` with `arguments` and succeeds when the program does."""
    return RustJob(
        task_id=task_id,
        program=program,
        arguments=arguments,
        retry_policy=StopOnFinalExitCode(program),
        **task_options,
    )


class RustJob(BaseOperator):
    """Runs a compiled program through BashOperator, DockerOperator or SparkSubmitOperator, as the run's params say."""

    template_fields = ("arguments",)
    ui_color = "#f3e3d3"

    def __init__(self, *, program: str, arguments: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.program = program
        self.arguments = list(arguments)
        self._runner: runners.Runner | None = None
        flags = [argument.partition("=")[0] for argument in self.arguments]
        for argument, flag in zip(self.arguments, flags, strict=True):
            if not re.fullmatch(r"--[a-z][a-z0-9-]*", flag):
                raise ValueError(f"an argument is --flag or --flag=value, not {argument!r}")
            if flags.count(flag) > 1:
                raise ValueError(f"{flag} is given twice")

    def execute(self, context: Any) -> dict[str, Any]:
        params = context["params"]
        job = runners.Job(
            name=f"{self.dag_id}.{self.task_id}",
            program=self.program,
            arguments=tuple(argument for argument in self.arguments if not _lacks_its_value(argument)),
            members=int(params.get("members") or 1),
        )
        with ended_with_the_supervisor():
            self._runner = runners.make(params.get("runner") or runners.default(), job)
            return read_summary(self._runner.run(context))

    def on_kill(self) -> None:
        if self._runner:
            self._runner.stop()


def _lacks_its_value(argument: str) -> bool:
    _, is_with_value, value = argument.partition("=")
    return bool(is_with_value) and not value


def read_summary(last_line: str) -> dict[str, Any]:
    """The program's summary: its last line of output, for XCom."""
    try:
        summary = json.loads(last_line)
    except ValueError:
        summary = None
    if not isinstance(summary, dict):
        raise AirflowException(
            "The program ended well, but the last line of its output (above) is not the JSON object that sums up "
            "its run. Is the program of the same version as these DAGs? "
            "Build it again with 'make build' (for the runner docker: 'make image')."
        )
    # A program that is told to stop finishes what is in flight and ends well; for Airflow the work is not done.
    if summary.get("interrupted"):
        raise AirflowException(
            "The program was stopped by a signal before it had done everything. What it did is kept; "
            "the next try goes on from there."
        )
    return summary


class StopOnFinalExitCode(RetryPolicy):
    """Fails the task at once, without retries, when the program's exit code says that a person has to act."""

    def __init__(self, program: str) -> None:
        self.program = program

    def evaluate(self, exception, try_number, max_tries, context=None) -> RetryDecision:  # noqa: ARG002
        if runners.is_final(self.program, getattr(exception, "exit_code", None)):
            return RetryDecision.fail(str(exception))
        return RetryDecision.default()
