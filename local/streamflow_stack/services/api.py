"""The bundled stand-in of the public API: one of our own programs."""

from pathlib import Path

from .. import probe
from ..layout import Stack
from .service import Service


class Api(Service):
    name = "api"
    port = "api"
    stop_wait = 12

    def program(self, stack: Stack) -> Path:
        return stack.bin_dir / "random-user-api"

    def missing(self, stack: Stack) -> str | None:
        if self.program(stack).exists():
            return None
        return f"{self.program(stack)} is not built yet: run `make build` (or `make up`, which builds and starts)"

    def command(self, stack: Stack) -> list[str]:
        return [str(self.program(stack)), "--listen", stack.address("api")]

    def probe(self, stack: Stack) -> None:
        probe.http(stack.port("api"), "/healthz")
