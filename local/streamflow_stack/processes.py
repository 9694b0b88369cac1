"""Reads /proc: who holds a port, which processes belong to a stack; and ends those, by their ids."""

import os
import pwd
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from .layout import Stack

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    group: int
    started: int  # in clock ticks since boot: tells a process from a later one with the same id
    zombie: bool


def read(pid: int) -> Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The command's name stands in parentheses and may hold anything, so count from the last one.
    fields = text[text.rindex(")") + 2:].split()
    return Process(pid, int(fields[1]), int(fields[2]), int(fields[19]), fields[0] in "ZX")


def everything() -> list[Process]:
    found = (read(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [p for p in found if p and not p.zombie]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


def uptime(pid: int) -> float:
    process = read(pid)
    if not process:
        return 0.0
    since_boot = float(Path("/proc/uptime").read_text().split()[0])
    return max(0.0, since_boot - process.started / _TICKS)


def memory(pids: list[int]) -> int:
    """Bytes in memory; what processes share (the workers of Airflow share most) is counted once, by their shares of it."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def descendants(roots: set[int], processes: list[Process]) -> set[int]:
    children: dict[int, list[int]] = {}
    for p in processes:
        children.setdefault(p.parent, []).append(p.pid)
    found, todo = set(), list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo.extend(children.get(pid, []))
    return found


def below(pid: int | None) -> list[Process]:
    """The children of a process, their children …"""
    processes = everything()
    found = descendants({pid}, processes) - {pid} if pid else set()
    return [p for p in processes if p.pid in found]


def is_alive(process: Process) -> bool:
    now = read(process.pid)
    return now is not None and now.started == process.started and not now.zombie


def _has_variable(pid: int, assignment: bytes) -> bool:
    try:
        return assignment in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _works_in_our_folder(stack: Stack, pid: int) -> bool:
    """PostgreSQL and Airflow overwrite their variables with a title, so these are known by program and working folder."""
    try:
        program, folder = Path(os.readlink(f"/proc/{pid}/exe")), Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return False
    if program.name == "postgres":
        return any(folder.is_relative_to(ours / "postgres") for ours in (stack.dir, stack.system_dir))
    return folder == stack.airflow_home and command_line(pid).startswith("airflow ")


def of_stack(stack: Stack, service: str | None = None) -> list[Process]:
    """Every process of the stack (or of one service) but this one and those that it came from.

    A process is known by its variables, by the process group of a launch (programs that set a title lose the variables),
    or by descent from one of these.
    """
    processes = everything()
    if service:
        mark = f"STREAMFLOW_SERVICE={service}".encode()
        groups = launched_groups(stack, service)
    else:
        mark = b""
        groups = {g for path in stack.run.glob("*.launches") for g in launched_groups(stack, path.stem)}
    stack_mark = f"STREAMFLOW_STACK_ID={stack.id}".encode()
    roots = set()
    for p in processes:
        if p.group in groups:
            roots.add(p.pid)
        elif _has_variable(p.pid, stack_mark) and (not service or _has_variable(p.pid, mark)):
            roots.add(p.pid)
        elif not service and _works_in_our_folder(stack, p.pid):
            roots.add(p.pid)
    by_pid = {p.pid: p for p in processes}
    spared, pid = set(), os.getpid()
    while pid in by_pid:
        spared.add(pid)
        pid = by_pid[pid].parent
    return [by_pid[pid] for pid in descendants(roots - spared, processes) - spared]


def remember_launch(stack: Stack, service: str) -> None:
    """Called by a launcher before it becomes the server: the supervisor made it the leader of a process group."""
    me = read(os.getpid())
    with open(stack.run / f"{service}.launches", "a") as out:
        out.write(f"{me.group} {me.started}\n")


def launched_groups(stack: Stack, service: str) -> set[int]:
    try:
        lines = (stack.run / f"{service}.launches").read_text().splitlines()
    except OSError:
        return set()
    groups = set()
    for line in lines:
        group, started = (int(word) for word in line.split())
        leader = read(group)
        # A living leader of another age means that the id was given to somebody else.
        if leader is None or leader.started == started:
            groups.add(group)
    return groups


def end(found: list[Process], patience: float) -> list[Process]:
    """SIGTERM, and SIGKILL for those that live on after `patience` seconds; returns those that had to be killed."""
    def living():
        return [p for p in found if is_alive(p)]

    def send(to, number):
        for p in to:
            try:
                os.kill(p.pid, number)
            except ProcessLookupError:
                pass

    send(living(), signal.SIGTERM)
    deadline = time.monotonic() + patience
    while (left := living()) and time.monotonic() < deadline:
        time.sleep(0.05)
    send(left, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while living() and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def listeners(ports: set[int]) -> dict[int, str]:
    """For each of these ports that somebody listens on: who, as far as this user may see."""
    inodes: dict[str, tuple[int, int]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            port = int(fields[1].rsplit(":", 1)[1], 16)
            if fields[3] == "0A" and port in ports:  # 0A: LISTEN
                inodes[fields[9]] = (port, int(fields[7]))
    if not inodes:
        return {}
    holders = {}
    for port, uid in inodes.values():
        try:
            user = pwd.getpwuid(uid).pw_name
        except KeyError:
            user = str(uid)
        holders[port] = f"a process of the user {user}"
    for p in everything():
        try:
            links = [os.readlink(f"/proc/{p.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{p.pid}/fd")]
        except OSError:
            continue
        for link in links:
            if link.startswith("socket:[") and link[8:-1] in inodes:
                port, _ = inodes.pop(link[8:-1])
                holders[port] = f"process {p.pid}: {command_line(p.pid)[:160]}"
    return holders
