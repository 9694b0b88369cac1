"""Makes the Airflow task that runs one of StreamFlow's programs.

    rust_job(task_id="python_job", program="transform-store", arguments=["--min-age={{ params.min_age }}"])

An argument is a flag, or `--flag=value` whose value may be a template; one whose value comes out empty is left out.
The program is looked for in the folder that STREAMFLOW_BIN_DIR names, else in the repository's target/release.
Its last line of output is one JSON object, which becomes the task's XCom.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException

DAGS_FOLDER = Path(__file__).resolve().parent
DEFAULT_BIN_DIR = DAGS_FOLDER.parent / "target" / "release"

# The folder stands in a variable of its own because Airflow reads a value that ends in .sh as the name of a template.
RUN_PROGRAM = 'exec bash "$STREAMFLOW_DAGS_FOLDER"/run_program.sh'

NOTHING_TO_DO = 99

# Exit codes that another try cannot change, with what a person has to do. All others are retried.
FINAL_EXIT_CODES = {
    2: "the program refused its arguments: correct the run's parameters and trigger it again",
    77: "a server refused access: give the program's user the permission that its last line names",
    78: "the configuration is wrong or the program is missing: do what its last line says, then clear this task",
}


def rust_job(
    *,
    task_id: str,
    program: str,
    arguments: Sequence[str] = (),
    **task_options: Any,
) -> BashOperator:
    """The task `task_id`, which runs `program` with `arguments` and succeeds when the program does."""
    words, environment = _as_bash_words(arguments)
    return BashOperator(
        task_id=task_id,
        bash_command=" ".join([RUN_PROGRAM, shlex.quote(program), *words]),
        env={
            "STREAMFLOW_DAGS_FOLDER": str(DAGS_FOLDER),
            "STREAMFLOW_DEFAULT_BIN_DIR": str(DEFAULT_BIN_DIR),
            **environment,
        },
        append_env=True,
        skip_on_exit_code=NOTHING_TO_DO,
        output_processor=read_summary,
        retry_policy=StopOnFinalExitCode(program),
        **task_options,
    )


def _as_bash_words(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Bash words for the arguments, and the environment they read their values from.

    A value never becomes part of the command's text: Bash would run what somebody typed into a form. It travels in
    a variable, and `${V:+"--flag=$V"}` is either one word, whatever it holds, or nothing.
    """
    words, environment = [], {}
    for argument in arguments:
        flag, has_value, value = argument.partition("=")
        if not re.fullmatch(r"--[a-z][a-z0-9-]*", flag):
            raise ValueError(f"an argument is --flag or --flag=value, not {argument!r}")
        if not has_value:
            words.append(shlex.quote(flag))
            continue
        variable = "ARGUMENT_" + flag.removeprefix("--").replace("-", "_").upper()
        if variable in environment:
            raise ValueError(f"{flag} is given twice")
        environment[variable] = value
        words.append(f'${{{variable}:+"{flag}=${variable}"}}')
    return words, environment


def read_summary(last_line: str) -> dict[str, Any]:
    """The program's summary: its last line of output, for XCom."""
    try:
        summary = json.loads(last_line)
    except ValueError:
        summary = None
    if not isinstance(summary, dict):
        raise AirflowException(
            "The program ended well, but the last line of its output (above) is not the JSON object that sums up "
            "its run. Is the program in STREAMFLOW_BIN_DIR of the same version as these DAGs? "
            "Build it again with 'cargo build --release --locked'."
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
        # BashOperator tells the exit code in its message only.
        found = re.search(r"non-zero exit code (\d+)\.", str(exception))
        code = int(found[1]) if found else None
        if code not in FINAL_EXIT_CODES:
            return RetryDecision.default()
        return RetryDecision.fail(f"{self.program} ended with exit code {code}: {FINAL_EXIT_CODES[code]}")
