"""A Docker engine for the tests of tasks in containers: one that answers already, or else one of their own.

    with engine() as address:  # such as unix:///var/run/docker.sock
        …

    python docker_engine.py    # for scripts: prints the address, or "none: REASON", and keeps it up until its input ends

The engine of their own gives containers the network of the machine and nothing else: no bridge, no rules of iptables,
no forwarding. It leaves nothing behind; when the tests are killed it ends too, but its temporary folder stays.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from streamflow_stack import processes

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
UP_TIMEOUT_S = 60
DOWN_TIMEOUT_S = 20
ANSWER_TIMEOUT_S = 5

# Folders that every engine of a machine has in common. Ours sees empty ones in their place, so it takes nobody's
# containerd or settings, and leaves no key there.
COMMON_FOLDERS = [Path("/run/containerd"), Path("/run/docker"), Path("/etc/docker")]
HIDE_THEM = " && ".join([f"mount -t tmpfs none {path}" for path in COMMON_FOLDERS] + ['exec "$@"'])


class NoEngine(Exception):
    """Says why there is none, for the reason of a skipped test."""


@contextmanager
def engine() -> Iterator[str]:
    """The address, as DOCKER_HOST has it, of a Docker engine whose containers can reach the servers of this machine."""
    address = os.environ.get("DOCKER_HOST") or DEFAULT_ADDRESS
    refusal = why_not(address)
    if refusal is None:
        yield address
        return
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    dockerd = shutil.which("dockerd", path=path)
    if os.geteuid() != 0 or dockerd is None:
        raise NoEngine(f"{refusal}; to start one takes root and the program dockerd (Debian: docker.io)")
    with _private_engine(dockerd, path) as address:
        yield address


def why_not(address: str) -> str | None:
    """Why the tests cannot use the engine at this address; None when they can."""
    try:
        info = ask(address)
    except Exception as error:  # The package docker and http.client have many kinds.
        return f"no Docker engine answers at {address} ({error})"
    # `--network host` means the engine's machine.
    if info["Name"] != socket.gethostname():
        return f"the Docker engine at {address} is that of another machine ({info['Name']})"
    if any("rootless" in option for option in info.get("SecurityOptions") or []):
        return f"the Docker engine at {address} is rootless: its containers do not share this machine's network"
    return None


def ask(address: str) -> dict[str, Any]:
    """What the engine says of itself."""
    if address.startswith("unix://"):
        return _ask_over_socket(address.removeprefix("unix://"))
    try:
        from docker import from_env
    except ImportError:
        raise OSError("the Python package docker is missing, and without it only unix:// is asked") from None
    client = from_env(environment={**os.environ, "DOCKER_HOST": address}, timeout=ANSWER_TIMEOUT_S)
    with client.api:
        return client.info()


def _ask_over_socket(path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("docker")
    connection.sock = socket.socket(socket.AF_UNIX)
    with connection.sock:
        connection.sock.settimeout(ANSWER_TIMEOUT_S)
        connection.sock.connect(path)
        connection.request("GET", "/info")
        answer = connection.getresponse()
        text = answer.read()
    if answer.status != 200:
        raise OSError(f"it answers with {answer.status} {answer.reason}")
    return json.loads(text)


@contextmanager
def _private_engine(dockerd: str, path: str) -> Iterator[str]:
    """An engine that writes in a temporary folder; its processes and mounts are in namespaces that end with it."""
    folder = Path(tempfile.mkdtemp(prefix="streamflow-docker-"))
    made = [common for common in COMMON_FOLDERS if not common.exists()]
    try:
        for common in made:
            common.mkdir(parents=True)
        with _running(folder, dockerd, path) as address:
            yield address
    finally:
        shutil.rmtree(folder)
        for common in made:
            with suppress(OSError):  # Another engine may have begun to use it.
                common.rmdir()
        _remove_cgroups(folder.name)


@contextmanager
def _running(folder: Path, dockerd: str, path: str) -> Iterator[str]:
    address = f"unix://{folder}/docker.sock"
    command = [
        # With these two the engine ends in good order also when the tests are killed.
        *("setpriv", "--pdeathsig", "SIGKILL"),
        *("unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child=SIGTERM"),
        *("sh", "-c", HIDE_THEM, "sh"),
        *(dockerd, f"--host={address}"),
        *(f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/docker.pid"),
        # Copies instead of layers: slower with large images only, and it works on every file system.
        "--storage-driver=vfs",
        *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false"),
        *("--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/{folder.name}", "--shutdown-timeout=5"),
    ]
    # Some of the client's variables are read by the engine too.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    log = folder / "dockerd.log"
    with log.open("wb") as out:
        try:
            process = subprocess.Popen(
                command,
                env=environment | {"PATH": path},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # An interrupt from the keyboard is for the tests, which then end it.
            )
        except OSError as error:
            raise NoEngine(f"no Docker engine could be started: {error}") from None
    try:
        _wait_until_it_answers(process, address, log)
        yield address
    finally:
        _end(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + UP_TIMEOUT_S
    while True:
        try:
            ask(address)
            return
        except Exception as error:  # Also of many kinds while it starts.
            said = error
        if process.poll() is not None:
            last_words = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise NoEngine(f"dockerd ended with {process.returncode}: {last_words[0]}")
        if time.monotonic() > deadline:
            raise NoEngine(f"dockerd did not answer within {UP_TIMEOUT_S} s: {said}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The engine is the first process of its namespace: with it the kernel ends its containerd and its containers."""
    processes.end([p for p in processes.below(process.pid) if p.parent == process.pid], DOWN_TIMEOUT_S)
    process.kill()
    process.wait(DOWN_TIMEOUT_S)


def _remove_cgroups(name: str) -> None:
    """An engine leaves the empty group of its containers: with cgroups 1 there is one for each controller."""
    for top in [*Path("/sys/fs/cgroup").glob(name), *Path("/sys/fs/cgroup").glob(f"*/{name}")]:
        for group, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                os.rmdir(group)


def main() -> None:
    try:
        with engine() as address:
            print(address, flush=True)
            sys.stdin.read()
    except NoEngine as reason:
        print(f"none: {reason}", flush=True)


if __name__ == "__main__":
    main()
