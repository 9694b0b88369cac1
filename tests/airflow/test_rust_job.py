"""The task that runs a program, by executing it as Airflow does, with the runner `bash`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import runners
import rust_job as subject
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowException, AirflowSkipException
from runners.bash import SCRIPT

SHOWS_ITS_ARGUMENTS = """#!/usr/bin/env python3
import json, os, sys
print("a log line", file=sys.stderr)
print(json.dumps({"job": "fake", "arguments": sys.argv[1:], "pid": os.getpid(), "log": os.environ.get("RUST_LOG")}))
"""

WAITS_FOR_SIGTERM = """#!/bin/bash
trap 'echo "{\\"job\\": \\"fake\\"}"; exit 0' TERM
echo ready
while :; do sleep 0.05; done
"""

COUNTS_SIGTERMS = """#!/bin/bash
trap 'echo TERM >> signals; echo a log line; stop=1' TERM
echo $$ > pid
until [ "$stop" ]; do sleep 0.05; done
for _ in 1 2 3 4 5; do echo "finishes what is in flight"; sleep 0.2; done
echo finished >> signals
"""

# Airflow's supervisor, which reads the log of the task below it, until it is killed.
SUPERVISOR = """
import os, signal
import rust_job
log, task_s_log = os.pipe()
if os.fork():
    os.close(task_s_log)
    while os.read(log, 65536):
        pass
else:
    os.close(log)
    os.dup2(task_s_log, 1)
    os.dup2(task_s_log, 2)
    task = rust_job.rust_job(task_id="try", program="fake")
    signal.signal(signal.SIGTERM, lambda *_: task.on_kill())
    task.execute({"params": {"runner": "bash"}, "run_id": "run"})
"""

# Each would do harm, or become several arguments, where a value is part of a command's text.
NASTY_VALUES = [
    '"; touch harmed; "',
    "'; touch harmed; '",
    "$(touch harmed)",
    "`touch harmed`",
    "${IFS}&& touch harmed",
    "a\ntouch harmed\n",
    "a b  c * ? [x] ~ \\",
    "--help",
    "{{ 7 * 7 }} {% raw %}",
    "ends.sh",
    "ü 🙂",
]


def task_with(arguments=(), program="fake"):
    return subject.rust_job(task_id="try", program=program, arguments=arguments)


def execute(task, **params):
    context = {"params": {"runner": "bash", **params}, "run_id": "run"}
    task.render_template_fields(context)
    return task.execute(context)


needs_setpriv = pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="setpriv (util-linux) is not on this machine"
)


def command(program: str = "fake") -> list[str]:
    """What BashOperator starts."""
    from runners.bash import Runner

    return ["bash", "-c", Runner(runners.Job("try", program, ())).operator.bash_command]


@pytest.mark.parametrize("value", NASTY_VALUES)
def test_a_params_value_reaches_the_program_unchanged_and_runs_nothing(make_program, tmp_path, monkeypatch, value):
    make_program("fake", SHOWS_ITS_ARGUMENTS)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    assert execute(task_with(["--seed={{ params.seed }}"]), seed=value)["arguments"] == [f"--seed={value}"]
    assert list(work.iterdir()) == []


def test_an_argument_without_a_value_is_left_out(make_program):
    make_program("fake", SHOWS_ITS_ARGUMENTS)
    arguments = ["--until-latest", "--nationalities={{ params.nationalities }}", "--users={{ params.users }}", "--seed=="]
    summary = execute(task_with(arguments), nationalities="", users=3)
    assert summary["arguments"] == ["--until-latest", "--users=3", "--seed=="]


@pytest.mark.parametrize("arguments", [["seed"], ["-s=1"], ["--seed;id"], ["--seed=1", "--seed=2"]])
def test_what_is_no_argument_is_refused_when_the_dag_is_read(arguments):
    with pytest.raises(ValueError, match="--"):
        task_with(arguments)


def test_the_program_takes_the_place_of_bash(make_program):
    make_program("fake", SHOWS_ITS_ARGUMENTS)
    process = subprocess.Popen(command(), stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate(timeout=30)
    assert json.loads(output)["pid"] == process.pid


@pytest.mark.parametrize(("given", "seen"), [(None, "info"), ("debug", "debug")])
def test_the_log_level_is_info_unless_given(make_program, monkeypatch, given, seen):
    monkeypatch.delenv("RUST_LOG", raising=False)
    if given:
        monkeypatch.setenv("RUST_LOG", given)
    make_program("fake", SHOWS_ITS_ARGUMENTS)
    assert execute(task_with())["log"] == seen


def test_without_a_folder_named_the_repository_s_own_build_is_run(monkeypatch):
    monkeypatch.delenv("STREAMFLOW_BIN_DIR", raising=False)
    assert runners.compiled("fake") == Path(__file__).resolve().parents[2] / "target" / "release" / "fake"


def test_a_missing_program_is_named_with_what_to_do(bin_dir):
    done = subprocess.run(command(), capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 78
    assert str(bin_dir / "fake") in lines[-2]
    assert "cargo build --release" in lines[-1]
    assert "STREAMFLOW_BIN_DIR" in lines[-1]


def test_sigterm_to_the_process_group_ends_the_program(make_program):
    make_program("fake", WAITS_FOR_SIGTERM)
    process = subprocess.Popen(command(), stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    os.killpg(os.getpgid(process.pid), signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert output.splitlines()[-1] == '{"job": "fake"}'
    assert nobody_is_in_group(process.pid)


@needs_setpriv
def test_the_program_ends_when_the_process_that_started_it_is_killed(make_program):
    program = make_program("fake", WAITS_FOR_SIGTERM)
    starts_it = "import os, subprocess, sys; subprocess.run(['bash', sys.argv[1], str(os.getpid()), sys.argv[2]])"
    parent = subprocess.Popen(
        [sys.executable, "-c", starts_it, str(SCRIPT), str(program)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout.readline() == "ready\n"
    parent.kill()
    parent.wait(timeout=10)
    # The pipe closes when the last process that holds it is gone.
    assert parent.stdout.read() == '{"job": "fake"}\n'


def test_the_program_is_not_started_for_a_process_that_has_ended(make_program):
    program = make_program("fake", SHOWS_ITS_ARGUMENTS)
    ended = subprocess.Popen(["true"])
    ended.wait()
    done = subprocess.run(["bash", SCRIPT, str(ended.pid), program], capture_output=True, text=True, check=False)
    assert done.returncode == 143
    assert done.stdout == "fake: not started, since Airflow's process for the task has ended\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_the_program_is_stopped_once_and_finishes_when_the_supervisor_is_killed(make_program, tmp_path):
    signals, pid = tmp_path / "signals", tmp_path / "pid"
    make_program("fake", COUNTS_SIGTERMS.replace("signals", str(signals)).replace("> pid", f"> {pid}"))
    folders = os.pathsep.join(sys.path)
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR], env={**os.environ, "PYTHONPATH": folders})
    until(pid.exists, 60)
    supervisor.kill()
    supervisor.wait(timeout=10)
    until(signals.exists, 10)
    until(lambda: "finished" in signals.read_text(), 10)
    assert signals.read_text() == "TERM\nfinished\n"


def test_the_log_holds_the_program_s_lines_and_no_warning_of_the_operator_inside(make_program, capsys):
    make_program("fake", SHOWS_ITS_ARGUMENTS)
    execute(task_with())
    log = capsys.readouterr().out
    assert "a log line" in log
    assert "BashOperator.execute cannot be called" not in log


@pytest.mark.parametrize("last_line", ["", "done", "{", "[1]", "7", "null"])
def test_a_last_line_that_is_no_json_object_is_a_clear_failure(make_program, last_line):
    make_program("fake", f"#!/bin/sh\necho '{last_line}'\n")
    with pytest.raises(AirflowException, match="last line of its output .* is not the JSON object"):
        execute(task_with())


def test_a_program_that_was_stopped_half_way_is_not_a_success(make_program):
    make_program("fake", """#!/bin/sh\necho '{"job": "fake", "interrupted": true}'\n""")
    with pytest.raises(AirflowException, match="stopped by a signal .* the next try goes on"):
        execute(task_with())


def test_nothing_to_do_is_skipped(make_program):
    make_program("fake", "#!/bin/sh\nexit 99\n")
    with pytest.raises(AirflowSkipException):
        execute(task_with())


@pytest.mark.parametrize(
    ("code", "action"),
    [(code, RetryAction.DEFAULT) for code in (1, 65, 69, 70, 74, 101, 137)]
    + [(code, RetryAction.FAIL) for code in (2, 77, 78)],
)
def test_only_what_another_try_can_change_is_retried(make_program, code, action):
    make_program("fake", f"#!/bin/sh\nexit {code}\n")
    task = task_with()
    with pytest.raises(AirflowException, match=f"fake ended with exit code {code}: ") as failure:
        execute(task)
    decision = task.retry_policy.evaluate(failure.value, try_number=1, max_tries=3)
    assert decision.action == action
    if action == RetryAction.FAIL:
        assert f"fake ended with exit code {code}: " in decision.reason


def until(condition, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"not within {timeout_s:.0f} s"
        time.sleep(0.05)


@pytest.mark.parametrize("program", ["transform-store", "aggregate"])
def test_too_many_dead_letters_are_for_a_person(make_program, program):
    make_program(program, "#!/bin/sh\nexit 65\n")
    task = task_with(program=program)
    with pytest.raises(AirflowException, match="exit code 65") as failure:
        execute(task)
    decision = task.retry_policy.evaluate(failure.value, try_number=1, max_tries=3)
    assert decision.action == RetryAction.FAIL


def nobody_is_in_group(group: int) -> bool:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
    return False
