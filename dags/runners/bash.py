"""Runs the program as a process of the Airflow worker, by BashOperator."""

from __future__ import annotations

import os
import re
import shlex
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk.exceptions import AirflowException

from . import NOTHING_TO_DO, Job, compiled, ended_with, execute_inside
from .supervisor import Supervisor

SCRIPT = Path(__file__).with_name("run_program.sh")


class Runner:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.supervisor = Supervisor()
        words = [str(SCRIPT), str(os.getpid()), str(compiled(job.program)), *job.arguments]
        self.operator = BashOperator(
            task_id=job.program,
            # The last space: Airflow reads a command that ends in .sh as the name of a file.
            bash_command=f"exec bash {shlex.join(words)} ",
            skip_on_exit_code=NOTHING_TO_DO,
        )

    def run(self, context: Any) -> str:
        try:
            return execute_inside(self.operator, context)
        except AirflowException as failure:
            # BashOperator tells the exit code in its message only.
            code = re.search(r"non-zero exit code (-?\d+)\.", str(failure))
            if not code:
                raise
            raise ended_with(self.job.program, int(code[1])) from None

    def stop(self) -> None:
        if self.supervisor.is_gone():
            self._stop_unseen()
        else:
            self.operator.on_kill()

    def _stop_unseen(self) -> None:
        """Waits for the program, without a line to the log.

        Such a line would end this process, and with it the program would get a second SIGTERM, which stops it at once.
        """
        process = self.operator.subprocess_hook.sub_process
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        while os.read(process.stdout.fileno(), 65536):
            pass
