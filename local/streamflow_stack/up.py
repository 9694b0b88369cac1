"""`up`: starts the servers side by side, each as soon as those that it needs answer, and waits until all of them do."""

import json
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from . import processes
from .console import StackError, say, since
from .install import install
from .layout import Stack
from .lifecycle import alone, end_leftovers, tail
from .probe import NotReady
from .services import ALL, Service
from .services.airflow import Metadata
from .supervisor import Supervisor

_LIVE = ("RUNNING", "STARTING", "BACKOFF")
_MOST_STARTS = 4  # a server that needs more of them will not come


class _GivenUp(Exception):
    """Not an error of its own: another server failed."""


def up(stack: Stack, only: list[str]) -> None:
    install(stack, with_zookeeper="zookeeper" in only)
    with alone(stack, "up"):
        _Up(stack, _choose(stack, only)).run()


def _choose(stack: Stack, only: list[str]) -> list[Service]:
    chosen = []
    for service in ALL:
        if service.name not in only and (only or service.on_request):
            continue
        lacking = [name for name in (*service.needs, *service.useless_without) if only and name not in only]
        if lacking:
            raise StackError(f"{service.name} needs {', '.join(lacking)}: name it in --only too.", 2)
        why = service.missing(stack)
        if why and only:
            raise StackError(f"{service.name} cannot start: {why}.")
        if why:
            say(service.name, f"left out: {why}")
        else:
            chosen.append(service)
    return chosen


class _Up:
    def __init__(self, stack: Stack, services: list[Service]):
        self.stack = stack
        self.services = services
        self.supervisor = Supervisor(stack)
        self.limit = float(os.environ.get("STREAMFLOW_UP_TIMEOUT", "300"))
        self.started = time.monotonic()
        self.waiting: dict[str, str] = {}  # service → what it is at
        self.stop = threading.Event()
        self.ready: dict[str, Future] = {}
        self.tables: Future = Future()  # of Airflow

    def run(self) -> None:
        states = self.supervisor.states()
        if not states:
            end_leftovers(self.stack)
        self._check_ports([s for s in self.services if states.get(s.name, {}).get("statename") not in _LIVE])
        if not states:
            self.supervisor.start(ALL)
        elif unknown := [s for s in self.services if s.name not in states]:
            say("supervisor", "new to it: " + ", ".join(s.name for s in unknown))
            self.supervisor.add(ALL)
        threading.Thread(target=self._report, daemon=True).start()
        jobs: list[Future] = []
        with ThreadPoolExecutor(len(self.services) + 1) as pool:
            try:
                for service in self.services:  # in the order of ALL: what is needed comes first
                    if service.name == "airflow-api-server":
                        jobs.append(pool.submit(self._guard, self._make_metadata))
                    self.ready[service.name] = pool.submit(self._guard, self._bring_up, service)
                    jobs.append(self.ready[service.name])
                for job in jobs:
                    job.exception()
            finally:
                self.stop.set()
        errors = [job.exception() for job in jobs if job.exception()]
        for error in sorted(errors, key=lambda e: isinstance(e, _GivenUp)):
            raise error
        say("up", f"{len(self.services)} servers of the stack {self.stack.name!r} answer ({since(self.started)})")

    def _guard(self, step, *arguments) -> None:
        """The first failure ends the waiting of all the others."""
        try:
            step(*arguments)
        except BaseException:
            self.stop.set()
            raise

    def _check_ports(self, services: list[Service]) -> None:
        wanted = {self.stack.port(p): s.name for s in services for p in (s.port, *s.more_ports)
                  if p != "airflow" or s.name == "airflow-api-server"}
        taken = processes.listeners(set(wanted))
        if taken:
            lines = [f"port {port}, wanted by {wanted[port]}, is taken by {who}" for port, who in sorted(taken.items())]
            raise StackError("\n".join([*lines, "Stop that, or move this stack: STREAMFLOW_PORT_OFFSET=15000 adds 15000 to each of its ports."]))

    def _await(self, other: Future) -> None:
        try:
            other.result()
        except Exception as error:
            raise _GivenUp() from error

    def _database_id(self) -> str:
        # The folder is made anew with each new database.
        folder = next(s for s in ALL if s.name == "postgres").data(self.stack) / "data" / "PG_VERSION"
        return str(folder.stat().st_mtime_ns)

    def _make_metadata(self) -> None:
        """Airflow's tables and user. What waits for them goes on before the connection is made."""
        try:
            self._await(self.ready["postgres"])
            Metadata(self.stack, self._database_id()).make(lambda: self.tables.set_result(None))
        except BaseException as error:
            if not self.tables.done():
                self.tables.set_exception(_GivenUp())
            raise error

    def _bring_up(self, service: Service) -> None:
        for name in service.needs:
            self._await(self.ready[name])
        begun = time.monotonic()
        self.waiting[service.name] = "preparing"
        service.prepare(self.stack)
        if service.name.startswith("airflow"):
            self.waiting[service.name] = "waiting for its tables"
            self._await(self.tables)
            begun = time.monotonic()
        if self.supervisor.states().get(service.name, {}).get("statename") in _LIVE:
            if self._is_current(service):
                self._wait_until_ready(service)
                self.waiting.pop(service.name)
                say(service.name, f"runs on {self.stack.address(service.port)}")
                return
            say(service.name, "has changed: starting it anew")
            self.supervisor.stop_service(service.name)
        self.supervisor.start_service(service.name)
        self._wait_until_ready(service)
        self.waiting.pop(service.name)
        say(service.name, f"answers on {self.stack.address(service.port)} ({since(begun)})")

    def _is_current(self, service: Service) -> bool:
        try:
            launched = json.loads((self.stack.run / f"{service.name}.json").read_text())
        except (OSError, ValueError):
            return True  # it is being launched at this moment
        return launched["fingerprint"] == service.fingerprint(self.stack)

    def _wait_until_ready(self, service: Service) -> None:
        pids = set()
        until = time.monotonic() + self.limit
        while True:
            info = self.supervisor.states().get(service.name, {})
            pids |= {info.get("pid")} - {0, None}
            if info.get("statename") == "FATAL" or len(pids) > _MOST_STARTS:
                raise StackError(f"{service.name} ends again and again soon after its start. {tail(self.stack, service.name)}")
            try:
                service.probe(self.stack)
                # Not an answer of the one that is just being replaced.
                if info.get("statename") in ("RUNNING", "STARTING"):
                    return
            except NotReady as why:
                self.waiting[service.name] = str(why)
            if time.monotonic() > until:
                raise StackError(f"{service.name} does not answer on {self.stack.address(service.port)} after {self.limit:.0f} s "
                                 f"({self.waiting.get(service.name)}). {tail(self.stack, service.name)}")
            if self.stop.wait(0.25):
                raise _GivenUp()

    def _report(self) -> None:
        """Says what is waited for when that changes, and else every now and then, so that silence never looks like a hang."""
        last, at = "", 0.0
        while not self.stop.wait(3):
            reasons: dict[str, list[str]] = {}
            for name, why in sorted(self.waiting.items()):
                reasons.setdefault(why, []).append(name)
            text = "; ".join(f"{', '.join(names)}: {why}" for why, names in reasons.items())
            if text and (text != last or time.monotonic() - at > 15):
                say("waiting for", text)
                last, at = text, time.monotonic()
