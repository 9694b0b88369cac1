"""What the stack has to know of a server, whichever it is."""

import hashlib
import os
from pathlib import Path

from ..layout import Stack


class Service:
    name: str
    port: str  # of layout.BASE_PORTS: the one where it is reached
    more_ports: tuple[str, ...] = ()  # others that it listens on
    needs: tuple[str, ...] = ()  # services that must answer before this one is started
    useless_without: tuple[str, ...] = ()  # services that may start later, but without which it serves nobody
    on_request = False  # started only when it is named
    stop_signal = "TERM"
    stop_wait = 20  # seconds until SIGKILL
    stop_as_group = True

    def missing(self, stack: Stack) -> str | None:
        """What keeps it from being started at all, and what to do; None when it can be started."""
        return None

    def prepare(self, stack: Stack) -> None:
        """Makes folders, configuration and first data. Called before each start; quick when nothing is to be done."""

    def command(self, stack: Stack) -> list[str]:
        raise NotImplementedError

    def environment(self, stack: Stack) -> dict[str, str]:
        return stack.base_environment()

    def folder(self, stack: Stack) -> Path:
        """The working folder of its process."""
        return stack.dir

    def probe(self, stack: Stack) -> None:
        """Raises probe.NotReady as long as it does not serve."""
        raise NotImplementedError

    def data(self, stack: Stack) -> Path:
        return stack.dir / self.name

    def remove_data(self, stack: Stack) -> None:
        """What lies outside of the stack's folder; the folder itself is removed as a whole."""

    def fingerprint(self, stack: Stack) -> str:
        """Changes when the program, its arguments, its variables or its configuration do: then `up` starts it anew."""
        argv = self.command(stack)
        # The caller's own variables come and go with the shell; only those that the stack sets count.
        ours = ("AIRFLOW", "SPARK_", "STREAMFLOW_", *stack.client_environment())
        parts = [*argv, *(f"{k}={v}" for k, v in sorted(self.environment(stack).items())
                          if k.startswith(ours) and k != "STREAMFLOW_SERVICE")]
        program = os.stat(argv[0])
        parts += [str(program.st_mtime_ns), str(program.st_size)]
        for path in self.configuration(stack):
            parts.append(path.read_text())
        return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]

    def configuration(self, stack: Stack) -> list[Path]:
        return []


def write_if_changed(path: Path, text: str) -> None:
    """Whole or not at all, so that an interrupted start leaves no half of a file."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    temporary.replace(path)
