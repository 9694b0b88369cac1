"""Starts one of StreamFlow's programs as Spark tasks, one for each member of its consumer group.

    spark-submit --master spark://HOST:7077 --files target/release/transform-store \
        dags/spark/members.py --members=2 transform-store --until-latest

Spark hands the compiled program to the executors (--files), places the members, starts a lost one again and shows them on
its page. Kafka shares the topic's partitions out among the members. Executors need Bash and the program's shared
libraries, and no Python: the tasks are Spark's own `pipe`.

The members' logs come here while they are written, each line with its member's number. The last line of standard output
is one JSON object: the members' summaries, added up. The exit code is that of the first member that failed, 69 when the
cluster cannot be reached or keeps losing members, 0 when all is well. It reads the variables that the program reads, and
hands them to the members.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import socketserver
import sys
import threading
import time
from pathlib import Path

# What a task runs. The text itself comes in a variable: Spark repeats the command in its messages.
MEMBER = Path(__file__).with_name("member.sh").read_text()
MEMBER_COMMAND = ["bash", "-c", 'eval "$STREAMFLOW_MEMBER"', "member"]
OF_THE_PROGRAMS = (
    "AGGREGATE_",
    "CASSANDRA_",
    "DATABASE_",
    "KAFKA_",
    "RUST_",
    "SCHEMA_REGISTRY_",
    "STREAMFLOW_",
    "TRANSFORM_STORE_",
)

LONGEST_LOG_LINE = 64 * 1024
UNREACHABLE = 69
CONFIGURATION = 78
NOTHING_TO_DO = 99

# Each can be set with --conf.
SPARK_SETTINGS = {
    # The members wait for servers and use little of Java.
    "spark.executor.memory": "512m",
    # A second copy of a slow member would be one more member of the group.
    "spark.speculation": "false",
    # A task that is cancelled waits for its program's output, which only the executor's end breaks off.
    "spark.task.reaper.enabled": "true",
    "spark.task.reaper.pollingInterval": "1s",
    "spark.task.reaper.killTimeout": "3s",
    "spark.ui.showConsoleProgress": "false",
    # The master's page shows the application; a page of its own would say no more, and wants a port for each submission.
    "spark.ui.enabled": "false",
}


class Failure(Exception):
    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def main() -> int:
    java = java_above()
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if options.end_with:
        threading.Thread(target=end_with, args=[options.end_with, java], daemon=True).start()
    try:
        results = run(options)
    except Failure as failure:
        say(f"error: {failure}")
        return failure.exit_code
    return report(options, results)


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="members.py",
        description="Starts one of StreamFlow's programs as Spark tasks, one for each member of its consumer group.",
        epilog="Example: spark-submit --master spark://HOST:7077 --files target/release/transform-store "
        "dags/spark/members.py --members=2 transform-store --until-latest",
        allow_abbrev=False,
    )
    parser.add_argument("--members", type=positive, default=1, metavar="N", help="members to start, 1 to 64 (default: 1)")
    parser.add_argument(
        "--connect-timeout",
        type=float,
        default=30,
        metavar="SECONDS",
        help="how long to wait for the Spark master (default: 30)",
    )
    parser.add_argument(
        "--start-timeout",
        type=float,
        default=120,
        metavar="SECONDS",
        help="how long to wait for a free slot on a worker (default: 120)",
    )
    parser.add_argument("--summary-file", type=Path, metavar="PATH", help="where to write the last line, too")
    parser.add_argument("--end-with", type=int, metavar="PID", help="end when this process of the same machine does")
    parser.add_argument("program", help="the program's name; its file is given with --files")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the program's arguments")
    return parser.parse_args(words)


def positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("from 1 to 64")
    return number


def run(options: argparse.Namespace) -> list[list[str]]:
    """Each member's lines of output, in the order of their numbers."""
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext

    # Connects to the Java side, which knows what spark-submit was given; else the configuration would be empty.
    SparkContext._ensure_initialized()
    conf = SparkConf()
    check_that_the_program_is_shipped(options.program, conf.get("spark.files", "") or "")
    wait_for_master(conf.get("spark.master", ""), options.connect_timeout)
    if conf.get("spark.app.name") == Path(__file__).name:
        conf.setAppName(options.program)
    conf.setIfMissing("spark.cores.max", str(options.members))
    for name, value in SPARK_SETTINGS.items():
        conf.setIfMissing(name, value)
    try:
        context = SparkContext(conf=conf)
    except (Py4JError, OSError) as error:
        raise Failure(UNREACHABLE, f"the Spark application could not be started: {first_line(error)}") from None
    say(f"{options.program}: {options.members} member(s) on {conf.get('spark.master')}, application {context.applicationId}")
    with Logs(context.getConf()) as logs:
        threading.Thread(target=logs.serve_forever, daemon=True).start()
        watch = Watch(context, logs, options)
        threading.Thread(target=watch.run, daemon=True).start()
        try:
            return pipe(context, options, logs)
        except Py4JError as error:
            raise Failure(UNREACHABLE, watch.gave_up or lost(error, options)) from None
        finally:
            watch.over.set()
            stop(context)


def check_that_the_program_is_shipped(program: str, files: str) -> None:
    if program not in [Path(file).name for file in files.split(",")]:
        raise Failure(
            CONFIGURATION,
            f"Spark is not given the program {program}: add --files PATH/{program} to spark-submit, before members.py.",
        )


def wait_for_master(master: str, timeout: float) -> None:
    """Spark's own tries take a minute and end in a message about something else."""
    if not master.startswith("spark://"):
        if master.startswith("local"):
            return
        raise Failure(CONFIGURATION, f"the master is {master!r}, and must be spark://HOST:PORT: see --master of spark-submit.")
    addresses = [split_address(address) for address in master.removeprefix("spark://").split(",")]
    end = time.monotonic() + timeout
    pause = 0.25
    while True:
        for host, port in addresses:
            try:
                socket.create_connection((host, port), timeout=5).close()
                return
            except OSError as error:
                reason = error.strerror or str(error)
        if time.monotonic() + pause > end:
            raise Failure(
                UNREACHABLE,
                f"no Spark master answers at {master} ({reason}), tried for {timeout:.0f} s: start it ('make up'), or correct the "
                "address: --master of spark-submit, in Airflow the connection spark-conn (Admin → Connections).",
            )
        time.sleep(pause)
        pause = min(pause * 2, 5)


def split_address(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise Failure(CONFIGURATION, f"the master's address {address!r} must be HOST:PORT.")
    return host, int(port)


def pipe(context, options: argparse.Namespace, logs: Logs) -> list[list[str]]:
    """Through Java, since the `pipe` of Python would need a Python of the same version on every worker."""
    environment = {k: v for k, v in os.environ.items() if k.startswith(OF_THE_PROGRAMS)} | logs.environment()
    command = [*MEMBER_COMMAND, options.program, *options.arguments]
    numbers = [str(number) for number in range(1, options.members + 1)]
    context.setJobGroup("members", f"{options.program} × {options.members}", interruptOnCancel=True)
    members = context._jsc.parallelize(numbers, len(numbers)).pipe(command, environment, False, 8192, "UTF-8")
    return [list(lines) for lines in members.glom().collect()]


class Logs(socketserver.ThreadingTCPServer):
    """Where the members write their logs; a line here is one of the driver's output, with the member's number before it."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, conf) -> None:
        self.token = secrets.token_hex(16)
        self.members_started = 0
        # Where Spark's own connections from the executors come, too.
        self.host = conf.get("spark.driver.host")
        super().__init__((conf.get("spark.driver.bindAddress", self.host), 0), LogLines)

    def environment(self) -> dict[str, str]:
        """What a member needs beside its command."""
        port = str(self.server_address[1])
        return {
            "STREAMFLOW_MEMBER": MEMBER,
            "STREAMFLOW_LOG_HOST": self.host,
            "STREAMFLOW_LOG_PORT": port,
            "STREAMFLOW_LOG_TOKEN": self.token,
        }


class LogLines(socketserver.StreamRequestHandler):
    timeout = None

    def handle(self) -> None:
        words = self.rfile.readline(LONGEST_LOG_LINE).decode(errors="replace").split()
        if len(words) != 3 or not secrets.compare_digest(words[0], self.server.token):
            return
        _, number, host = words
        self.server.members_started += 1
        say(f"member {number} starts on {host}")
        while line := self.rfile.readline(LONGEST_LOG_LINE):
            say(f"[member {number}] {line.decode(errors='replace').rstrip()}")


class Watch:
    """Says what the cluster does not do: a member that is not started, or that was lost."""

    def __init__(self, context, logs: Logs, options: argparse.Namespace) -> None:
        self.context, self.logs, self.options = context, logs, options
        self.over = threading.Event()
        self.gave_up = ""

    def run(self) -> None:
        begun = time.monotonic()
        told = False
        while not self.over.wait(1):
            waited = time.monotonic() - begun
            if self.logs.members_started >= self.options.members:
                return
            if waited > 15 and not told:
                told = True
                say(
                    f"{self.logs.members_started} of {self.options.members} members started after {waited:.0f} s: the others wait "
                    "for free cores and memory on a worker (see the Spark page, port 8090)"
                )
            if waited > self.options.start_timeout and self.logs.members_started == 0:
                self.gave_up = (
                    f"no worker of the Spark cluster has started a member within {self.options.start_timeout:.0f} s: on the Spark "
                    "page (port 8090), is a worker alive, with free cores and 512 MB of memory?"
                )
                self.context.cancelAllJobs()
                return


def lost(error: Exception, options: argparse.Namespace) -> str:
    text = str(error)
    if "cancelled" in text:
        return "the Spark job was cancelled; what its members did is kept, and the next try goes on from there."
    if "exited with status" in text or "ExecutorLostFailure" in text:
        return f"Spark lost a member of {options.program} too often (spark.task.maxFailures) and gave up: see the lines above."
    return f"the Spark application was ended: {first_line(error)}"


def first_line(error: Exception) -> str:
    java = getattr(error, "java_exception", None)
    try:
        text = str(java.toString()) if java is not None else str(error)
    except Exception:  # Java is gone with its message.
        text = str(error)
    return text.strip().splitlines()[0][:500] if text.strip() else type(error).__name__


def stop(context) -> None:
    try:
        context.stop()
    except Exception as error:  # Java may be gone, and with it all that is to be stopped.
        say(f"Spark had ended already: {first_line(error)}")


def report(options: argparse.Namespace, results: list[list[str]]) -> int:
    """Passes on what the members printed, then the sum."""
    codes, summaries = [], []
    for number, lines in enumerate(results, start=1):
        *printed, code = lines
        codes.append(int(code.removeprefix("exit ")))
        for line in printed:
            say(f"[member {number}] {line}")
        if codes[-1] == 0:
            summaries.append(json.loads(printed[-1]))
    failed = [(number, code) for number, code in enumerate(codes, start=1) if code not in (0, NOTHING_TO_DO)]
    for number, code in failed:
        say(f"error: member {number} of {options.program} ended with exit code {code}: see its last lines above")
    if failed:
        return failed[0][1]
    if not summaries:
        return NOTHING_TO_DO
    total = json.dumps(add_up(summaries), separators=(",", ":"), ensure_ascii=False)
    if options.summary_file:
        options.summary_file.write_text(total)
    print(total, flush=True)
    return 0


def add_up(summaries: list[dict]) -> dict:
    """Numbers are added, but for the time, which is that of the slowest; the offsets are those of all; of other values the first is taken,
    a true one before."""
    total: dict = {}
    for summary in summaries:
        for name, value in summary.items():
            if name not in total:
                total[name] = value
            elif isinstance(value, bool):
                total[name] = total[name] or value
            elif name == "offsets":
                total[name] = offsets_of_both(total[name], value)
            elif name.endswith("_ms"):
                total[name] = max(total[name], value)
            elif isinstance(value, (int, float)):
                total[name] += value
    if len(summaries) > 1:
        total["members"] = len(summaries)
    return total


def offsets_of_both(some: dict, others: dict) -> dict:
    """By partition: the first offset and the one after the last, twice or more often where offsets in between are nobody's."""
    both = {}
    for partition in sorted({*some, *others}, key=int):
        bounds = [*some.get(partition, []), *others.get(partition, [])]
        spans: list[list[int]] = []
        for first, end in sorted(zip(bounds[::2], bounds[1::2], strict=True)):
            if spans and first <= spans[-1][1]:
                spans[-1][1] = max(spans[-1][1], end)
            else:
                spans.append([first, end])
        both[partition] = [bound for span in spans for bound in span]
    return both


def java_above() -> int | None:
    parent = os.getppid()
    try:
        return parent if Path(f"/proc/{parent}/comm").read_text().strip() == "java" else None
    except OSError:
        return None


def end_with(pid: int, java: int | None) -> None:
    """Spark's Java process does not notice when Airflow's process for the task is killed; this one is below it, and does."""
    while Path(f"/proc/{pid}").exists():
        time.sleep(1)
    # When Java has ended already, the parent is another one: a supervisor, or the first process of the machine.
    if os.getppid() == java:
        os.kill(java, signal.SIGTERM)
    else:
        os._exit(128 + signal.SIGTERM)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.exit(code)
