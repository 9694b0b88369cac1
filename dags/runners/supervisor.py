"""The process of Airflow that watches over the task, and what becomes of the task when that one is killed.

It is the parent of the task's process, reads its log, and sends it SIGTERM when the task is to end. Killed itself, it can do
none of that: then the kernel sends the SIGTERM (on Linux), and Airflow's code in the task's process ends the task as always.
Every line to the log fails from then on.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException

_PR_SET_PDEATHSIG = 1


class Supervisor:
    """The parent of this process at the time when this was made."""

    def __init__(self) -> None:
        self.pid = os.getppid()

    def is_gone(self) -> bool:
        return os.getppid() != self.pid


@contextmanager
def ended_with_the_supervisor() -> Iterator[None]:
    """Within it, this process gets SIGTERM when its supervisor dies, however it dies."""
    supervisor = Supervisor()
    _ask_for(signal.SIGTERM)
    try:
        # One that died before the kernel was asked sends nothing.
        if supervisor.is_gone():
            raise AirflowException("The process of Airflow that watches over this task has ended; nothing was started.")
        yield
    finally:
        _ask_for(0)


def _ask_for(number: int) -> None:
    if sys.platform == "linux":
        # Where it is refused, the program goes on until it writes its next line.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
