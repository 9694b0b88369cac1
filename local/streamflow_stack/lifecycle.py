"""`down` and `clean`: stops the servers in order, ends whatever is left of them, removes their data."""

import fcntl
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from . import processes
from .console import StackError, say
from .layout import Stack
from .services import ALL
from .supervisor import Supervisor, socket_path


@contextmanager
def alone(stack: Stack, command: str):
    """Two commands that change the same stack would undo each other's work: the second one ends with a message."""
    stack.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    stack.run.mkdir(exist_ok=True)
    stack.logs.mkdir(exist_ok=True)
    with open(stack.run / "lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another command"
            raise StackError(f"the stack {stack.name!r} is busy with {holder}: wait until that has ended, then start again.") from None
        lock.truncate(0)
        lock.write(f"`local/stack {command}` (process {os.getpid()})")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def tail(stack: Stack, service: str, lines: int = 25) -> str:
    path = stack.logs / f"{service}.log"
    try:
        text = path.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return f"({path} is not there yet)"
    return f"The end of {path}:\n" + "\n".join(f"  {line}" for line in text)


def end_leftovers(stack: Stack, known: list[processes.Process] = ()) -> None:
    """Processes of a supervisor that was killed, and those that a killed server left to the supervisor."""
    left = list({p.pid: p for p in (*known, *processes.of_stack(stack)) if processes.is_alive(p)}.values())
    if left:
        say("down", f"ending {len(left)} processes that were left over")
        killed = processes.end(left, patience=15)
        if killed:
            say("down", f"{len(killed)} of them had to be killed")


def send_signal(stack: Stack, service: str, name: str) -> None:
    """To the server itself, whose own processes follow it; a standstill is told to each of them, since they would work on without it. With a
    signal that ends it, returns when it has ended."""
    pid = Supervisor(stack).states().get(service, {}).get("pid")
    server = processes.read(pid) if pid else None
    if not server:
        raise StackError(f"{service} does not run: start it with `local/stack up`.")
    stands = name in ("STOP", "CONT")
    for process in [server, *(processes.below(pid) if stands else [])]:
        with suppress(ProcessLookupError):
            os.kill(process.pid, getattr(signal, f"SIG{name}"))
    deadline = time.monotonic() + 60
    while not stands and processes.is_alive(server):
        if time.monotonic() > deadline:
            raise StackError(f"{service} does not end by SIG{name} within 60 s.")
        time.sleep(0.02)


def down(stack: Stack) -> None:
    if not stack.dir.exists():
        say("down", f"the stack {stack.name!r} was never started here")
        return
    with alone(stack, "down"):
        _stop(stack)


def _stop(stack: Stack) -> None:
    supervisor = Supervisor(stack)
    states = supervisor.states()
    live = [s for s in ALL if states.get(s.name, {}).get("statename") in ("RUNNING", "STARTING", "BACKOFF")]
    # Those that others need stop after these.
    needed = {name for s in live for name in s.needs}
    for group in ([s for s in live if s.name not in needed], [s for s in live if s.name in needed]):
        if group:
            say("down", "stopping " + ", ".join(s.name for s in group))
            with ThreadPoolExecutor(len(group)) as pool:
                list(pool.map(lambda s: supervisor.stop_service(s.name), group))
    adopted = processes.below(supervisor.pid())
    if states:
        supervisor.shutdown()
    end_leftovers(stack, adopted)
    for path in stack.run.glob("*.launches"):
        path.unlink()
    left = processes.of_stack(stack)
    if left:
        lines = [f"  {p.pid}: {processes.command_line(p.pid)}" for p in left]
        raise StackError("these processes of the stack do not end:\n" + "\n".join(lines))
    say("down", f"nothing of the stack {stack.name!r} runs")


def clean(stack: Stack) -> None:
    """Also removes what was downloaded when the stack is the default one; the user's cache stays."""
    if stack.dir.exists():
        with alone(stack, "clean"):
            _stop(stack)
            for service in ALL:
                service.remove_data(stack)
            socket = socket_path(stack)
            if not socket.is_relative_to(stack.dir):
                shutil.rmtree(socket.parent, ignore_errors=True)
            shutil.rmtree(stack.dir)
        say("clean", f"removed {stack.dir}")
    if stack.name != "local" or not stack.opt.exists():
        return
    for other in stack.opt.parent.iterdir():
        if other != stack.opt and Supervisor(Stack(stack.root, other.name, 0)).pid():
            say("clean", f"{stack.opt} stays: the stack {other.name!r} uses it (STREAMFLOW_STACK={other.name} local/stack clean)")
            return
    shutil.rmtree(stack.opt)
    say("clean", f"removed {stack.opt}")
