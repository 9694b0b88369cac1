"""Talks to supervisord, the supervisor of the servers: its configuration, its start, its XML-RPC over a unix socket."""

import ctypes
import hashlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from pathlib import Path

from . import processes
from .console import StackError
from .layout import Stack

_PR_SET_CHILD_SUBREAPER = 36


def socket_path(stack: Stack) -> Path:
    """A unix socket's path holds 108 bytes at most, and supervisord adds a suffix while it makes one."""
    path = stack.run / "supervisor.sock"
    if len(os.fsencode(path)) <= 85:
        return path
    key = hashlib.sha256(os.fsencode(stack.run)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"streamflow-{os.getuid()}-{key}" / "supervisor.sock"


def write_configuration(stack: Stack, services) -> Path:
    """One program a service. Each is started through the launcher, so no command or variable is quoted here."""
    def quoted(path) -> str:
        return str(path).replace("%", "%%")

    path = socket_path(stack)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise StackError(f"{path.parent} belongs to another user: remove it, or set TMPDIR to a folder of your own.")
    lines = [
        "; Written by local/stack at every start.",
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={quoted(stack.logs / 'supervisord.log')}",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        f"pidfile={quoted(stack.run / 'supervisord.pid')}",
        f"directory={quoted(stack.root)}",
        f"childlogdir={quoted(stack.logs)}",
        "minfds=1024",
        *(["user=root"] if os.getuid() == 0 else []),
        "[unix_http_server]",
        f"file={quoted(path)}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for service in services:
        lines += [
            f"[program:{service.name}]",
            f'command="{quoted(sys.executable)}" -m streamflow_stack.launch {service.name}',
            f"directory={quoted(stack.local)}",
            "autostart=false",
            "autorestart=true",
            "startsecs=2",
            "startretries=20",
            f"stopsignal={service.stop_signal}",
            f"stopasgroup={'true' if service.stop_as_group else 'false'}",
            "killasgroup=true",
            f"stopwaitsecs={service.stop_wait}",
            "redirect_stderr=true",
            f"stdout_logfile={quoted(stack.logs / (service.name + '.log'))}",
            "stdout_logfile_maxbytes=20MB",
            "stdout_logfile_backups=2",
        ]
    target = stack.run / "supervisord.conf"
    temporary = target.with_suffix(".new")
    temporary.write_text("\n".join(lines) + "\n")
    temporary.replace(target)
    return target


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path):
        super().__init__()
        self._path = path

    def make_connection(self, host):
        return _UnixConnection(self._path, timeout=150)


class Supervisor:
    def __init__(self, stack: Stack):
        self.stack = stack

    @property
    def _rpc(self):
        # A connection for each call: the threads of `up` call at the same time.
        return xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(socket_path(self.stack))).supervisor

    def pid(self) -> int | None:
        """The supervisor's id when it runs and answers."""
        try:
            return self._rpc.getPID()
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return None

    def start(self, services) -> None:
        stack = self.stack
        configuration = write_configuration(stack, services)
        libc = ctypes.CDLL(None, use_errno=True)

        def adopt_orphans():
            # Processes whose parent was killed come to the supervisor, not to the machine's first process: so they are found at the end.
            libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

        environment = stack.base_environment()
        environment["PYTHONPATH"] = str(stack.local)
        with open(stack.logs / "supervisord.start.log", "wb") as log:
            started = subprocess.Popen(
                [stack.tools_python, "-m", "supervisor.supervisord", "-c", configuration],
                cwd=stack.root, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=adopt_orphans)
        deadline = time.monotonic() + 30
        while self.pid() is None:
            if started.poll() is not None or time.monotonic() > deadline:
                text = (stack.logs / "supervisord.start.log").read_text(errors="replace")[-2000:]
                raise StackError(f"the supervisor did not start. {stack.logs / 'supervisord.start.log'} says:\n{text}")
            time.sleep(0.05)

    def add(self, services) -> None:
        """Those that the running supervisor, started by an earlier version perhaps, does not know yet."""
        write_configuration(self.stack, services)
        [[added, _, _]] = self._rpc.reloadConfig()
        for name in added:
            self._rpc.addProcessGroup(name)

    def states(self) -> dict[str, dict]:
        """What supervisord knows of each service: statename, pid, start, stop …; empty when it does not run."""
        try:
            return {info["name"]: info for info in self._rpc.getAllProcessInfo()}
        except (OSError, http.client.HTTPException):
            return {}

    def start_service(self, name: str) -> None:
        try:
            self._rpc.startProcess(name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise StackError(f"the supervisor cannot start {name}: {fault.faultString}") from None

    def stop_service(self, name: str) -> None:
        """Returns when the service has stopped, or after the last signal."""
        try:
            self._rpc.stopProcess(name, True)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString and "BAD_NAME" not in fault.faultString:
                raise StackError(f"the supervisor cannot stop {name}: {fault.faultString}") from None

    def shutdown(self) -> None:
        pid = self.pid()
        if pid is None:
            return
        self._rpc.shutdown()
        deadline = time.monotonic() + 60
        while (p := processes.read(pid)) and not p.zombie and time.monotonic() < deadline:
            time.sleep(0.05)
