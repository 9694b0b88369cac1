"""A program as a measured process: wall time, processor time and memory of it and its children, bytes over the loopback device, and the
processor time that the servers took meanwhile."""

import json
import os
import resource
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
# By a word of their command lines.
SERVERS = {"API": "random-user-api", "PostgreSQL": "postgres", "Kafka": "kafka.Kafka", "Cassandra": "org.apache.cassandra"}


@dataclass(frozen=True)
class Run:
    """`cpu_s` and `peak_mb` include the processes that the program started; `wire_mb` is everything that went over loopback meanwhile, and
    `steal` the percentage of the processors' time that the machine's host gave to others meanwhile."""
    seconds: float
    cpu_s: float
    peak_mb: float
    wire_mb: float
    steal: float
    servers_cpu_s: dict
    summary: dict


class Failed(Exception):
    pass


class Program:
    def __init__(self, command, environment, log: Path):
        self.log = log
        self._wire = _loopback_bytes()
        self._cpu = _children_cpu()
        self._servers_cpu = _servers_cpu()
        self._steal = Steal()
        with open(log, "ab") as out:
            self.begun_at = time.time()
            self._begun = time.monotonic()
            self._child = subprocess.Popen([str(word) for word in command], env=environment, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE, stderr=out, text=True, start_new_session=True)
        self._peak = 0
        self._sampling = threading.Thread(target=self._sample, daemon=True)
        self._sampling.start()

    def end_in_order(self):
        """As a service is ended, whatever its exit code is then."""
        self._child.terminate()
        self.finish(accept=range(-15, 256))

    def line(self):
        return self._child.stdout.readline().strip()

    def finish(self, limit_s=1_200, accept=(0,)) -> Run:
        try:
            said, _ = self._child.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, 9)
            self._child.wait()
            raise Failed(f"{self._child.args[0]} did not end within {limit_s} s; its log: {self.log}") from None
        seconds = time.monotonic() - self._begun
        self._sampling.join()
        if self._child.returncode not in accept:
            raise Failed(f"{' '.join(self._child.args)} ended with {self._child.returncode}; its log: {self.log}")
        servers_cpu = {name: seconds - self._servers_cpu[name] for name, seconds in _servers_cpu().items()}
        return Run(seconds, _children_cpu() - self._cpu, self._peak / 1e6, (_loopback_bytes() - self._wire) / 1e6, self._steal.percent(),
                   servers_cpu, _last_object(said))

    def _sample(self):
        while self._child.poll() is None:
            self._peak = max(self._peak, sum(map(_resident, _tree(self._child.pid))))
            time.sleep(_SAMPLE_S)


class Steal:
    """Since it was made; as `st` of vmstat (proc_stat(5)). On a machine of its own there is none."""

    def __init__(self):
        self._begun = self._ticks()

    @staticmethod
    def _ticks():
        # The two after the eighth are part of the first two.
        ticks = [int(number) for number in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return ticks[7], sum(ticks)

    def percent(self):
        stolen, all_of_them = (now - then for now, then in zip(self._ticks(), self._begun))
        return 100 * stolen / max(all_of_them, 1)


def run(command, environment, log, **options) -> Run:
    return Program(command, environment, log).finish(**options)


def _last_object(said):
    lines = said.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _servers_cpu():
    """Seconds since they were started, with those of their children that have ended."""
    found = dict.fromkeys(SERVERS, 0)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            times = (process / "stat").read_text().rpartition(")")[2].split()[11:15]
        except OSError:
            continue  # it has just ended
        for name, word in SERVERS.items():
            if word in command:
                found[name] += sum(map(int, times)) / _TICKS
    return found


def _tree(pid):
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(descendant for child in children for descendant in _tree(int(child)))]


def _resident(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _loopback_bytes():
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "lo":
            return int(numbers.split()[0])
    return 0
