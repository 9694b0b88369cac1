"""What a person sees: progress lines with the elapsed time, and errors that say what to do."""

import sys
import threading
import time

_start = time.monotonic()
_lock = threading.Lock()


class StackError(Exception):
    """What failed, where, why and what to do: printed as it stands, without a traceback."""

    def __init__(self, message: str, exit_code: int = 1):
        super().__init__(message)
        self.exit_code = exit_code


def say(what: str, text: str) -> None:
    """One progress line. Progress goes to standard error: standard output is for results, such as those of `env`."""
    with _lock:
        print(f"[{time.monotonic() - _start:6.1f} s] {what:<21} {text}", file=sys.stderr, flush=True)


def since(started: float) -> str:
    return f"{time.monotonic() - started:.1f} s"


def human_duration(seconds: float) -> str:
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
