"""The control center: one of our own programs. It needs no server to start: one that is down is told on its pages."""

import os
from pathlib import Path

from .. import probe
from ..layout import HOST, Stack
from .service import Service


class ControlCenter(Service):
    name = "control-center"
    port = "control-center"
    stop_wait = 12

    def program(self, stack: Stack) -> Path:
        return stack.bin_dir / "control-center"

    def missing(self, stack: Stack) -> str | None:
        if self.program(stack).exists():
            return None
        return f"{self.program(stack)} is not built yet: run `make build` (or `make up`, which builds and starts)"

    def command(self, stack: Stack) -> list[str]:
        return [str(self.program(stack)), "--listen", stack.address("control-center")]

    def environment(self, stack: Stack) -> dict[str, str]:
        # By the name under which a browser is logged in to Airflow.
        page = f"http://localhost:{stack.port('airflow')}"
        direct = ",".join(filter(None, (os.environ.get("no_proxy"), HOST, "localhost")))
        return {**super().environment(stack), "AIRFLOW_PAGE_URL": page, "no_proxy": direct, "NO_PROXY": direct}

    def probe(self, stack: Stack) -> None:
        probe.http(stack.port("control-center"), "/healthz")
