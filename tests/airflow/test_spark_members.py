"""What spark-submit gets, without Spark: how a member runs, and what the driver makes of the members' output."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import DAGS_FOLDER

spec = importlib.util.spec_from_file_location("members", DAGS_FOLDER / "spark" / "members.py")
subject = importlib.util.module_from_spec(spec)
spec.loader.exec_module(subject)

LOGS_AND_PRINTS = """#!/bin/bash
echo "a log line of $*" >&2
echo a table
echo '{"job":"fake","consumed":3}'
"""

WAITS_FOR_SIGTERM = """#!/bin/bash
trap 'echo "{\\"job\\": \\"fake\\"}"; exit 0' TERM
echo $$ > pid
while :; do sleep 0.05; done
"""


@pytest.fixture
def member(tmp_path):
    """member(text): starts a member in a folder that holds the program `fake`, as Spark's `pipe` does."""
    logs = subject.Logs({"spark.driver.host": "127.0.0.1"})
    threading.Thread(target=logs.serve_forever, daemon=True).start()
    started = []

    def start(text: str, *arguments: str, environment=None, through=()) -> subprocess.Popen:
        (tmp_path / "fake").write_text(text)
        process = subprocess.Popen(
            [*through, *subject.MEMBER_COMMAND, "fake", *arguments],
            env={**os.environ, **(logs.environment() if environment is None else environment)},
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process.stdin.write("7\n")
        process.stdin.close()
        process.stdin = None
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    logs.shutdown()
    logs.server_close()


def wait_for(condition, what: str) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, f"no {what} after 10 s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_member_s_log_goes_to_the_driver_and_its_output_to_the_result(member, capsys):
    output, errors = member(LOGS_AND_PRINTS, "--seed=a b", "$(id)").communicate(timeout=10)
    assert output.splitlines() == ["a table", '{"job":"fake","consumed":3}', "exit 0"]
    assert errors == ""
    said = []
    wait_for(lambda: said.append(capsys.readouterr().out) or "log line" in "".join(said), "log line")
    assert "member 7 starts on" in "".join(said)
    assert "[member 7] a log line of --seed=a b $(id)\n" in "".join(said)


def test_a_member_whose_driver_cannot_be_reached_logs_where_it_runs(member):
    nowhere = {
        "STREAMFLOW_MEMBER": subject.MEMBER,
        "STREAMFLOW_LOG_HOST": "127.0.0.1",
        "STREAMFLOW_LOG_PORT": "1",
        "STREAMFLOW_LOG_TOKEN": "t",
    }
    output, errors = member(LOGS_AND_PRINTS, environment=nowhere).communicate(timeout=10)
    assert output.splitlines()[-1] == "exit 0"
    assert errors == "a log line of \n"


def test_who_does_not_know_the_token_writes_no_log(member, capsys):
    logs = subject.Logs({"spark.driver.host": "127.0.0.1"})
    threading.Thread(target=logs.serve_forever, daemon=True).start()
    member(LOGS_AND_PRINTS, environment={**logs.environment(), "STREAMFLOW_LOG_TOKEN": "guessed"}).communicate(timeout=10)
    logs.shutdown()
    logs.server_close()
    assert logs.members_started == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("code", [0, 2, 69, 78, 99])
def test_an_exit_code_of_the_program_s_own_is_part_of_the_result(member, code):
    process = member(f"#!/bin/sh\nexit {code}\n")
    output, _ = process.communicate(timeout=10)
    assert (output, process.returncode) == (f"exit {code}\n", 0)


def test_a_killed_program_fails_the_task_so_that_spark_starts_it_again(member, tmp_path):
    process = member(WAITS_FOR_SIGTERM)
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "program")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    output, _ = process.communicate(timeout=10)
    assert (output, process.returncode) == ("", 137)


def test_a_member_that_is_told_to_stop_lets_its_program_finish(member, tmp_path):
    process = member(WAITS_FOR_SIGTERM)
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "program")
    process.terminate()
    output, _ = process.communicate(timeout=10)
    assert output.splitlines() == ['{"job": "fake"}', "exit 0"]


@pytest.mark.parametrize("who", ["the member's shell", "the executor"])
def test_the_program_ends_when_what_is_above_it_is_killed(member, tmp_path, who):
    if subprocess.run(["setpriv", "--pdeathsig", "TERM", "true"], check=False, capture_output=True).returncode:
        pytest.skip("setpriv --pdeathsig (util-linux) is not on this machine")
    through = ["python3", "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"] if who == "the executor" else []
    process = member(WAITS_FOR_SIGTERM, through=through)
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "program")
    program = int((tmp_path / "pid").read_text())
    process.kill()
    process.wait()
    wait_for(lambda: not is_alive(program), "end of the program")


def test_summaries_add_up():
    first = {"job": "fake", "consumed": 3, "stored": 2, "interrupted": False, "elapsed_ms": 70}
    second = {"job": "fake", "consumed": 4, "filtered": 1, "interrupted": True, "elapsed_ms": 50}
    assert subject.add_up([first]) == first
    assert subject.add_up([first, second]) == {
        "job": "fake",
        "consumed": 7,
        "stored": 2,
        "filtered": 1,
        "interrupted": True,
        "elapsed_ms": 70,
        "members": 2,
    }


def test_the_offsets_of_a_partition_that_moved_are_put_together():
    first = {"offsets": {"0": [0, 10], "10": [5, 7]}, "offsets_left_out": True}
    second = {"offsets": {"0": [10, 12, 20, 22], "2": [1, 2]}}
    third = {"offsets": {"0": [8, 11]}}
    assert subject.add_up([first, second, third]) == {
        "offsets": {"0": [0, 12, 20, 22], "2": [1, 2], "10": [5, 7]},
        "offsets_left_out": True,
        "members": 3,
    }


def options(**given):
    return argparse.Namespace(program="fake", members=2, summary_file=None, **given)


def test_the_sum_is_the_last_line(capsys):
    assert subject.report(options(), [["a table", '{"n":1}', "exit 0"], ['{"n":2}', "exit 0"]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "[member 1] a table"
    assert lines[-1] == '{"n":3,"members":2}'


def test_one_member_that_failed_fails_the_whole(capsys):
    assert subject.report(options(), [['{"n":1}', "exit 0"], ["exit 78"]]) == 78
    assert capsys.readouterr().out.splitlines()[-1].startswith("error: member 2 of fake ended with exit code 78")


def test_nothing_to_do_for_all_is_nothing_to_do(capsys):
    assert subject.report(options(), [["exit 99"], ["exit 99"]]) == 99
    assert subject.report(options(), [["exit 99"], ['{"n":2}', "exit 0"]]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == '{"n":2}'


def test_a_master_that_does_not_answer_is_named_with_what_to_do():
    with pytest.raises(subject.Failure, match="no Spark master answers at spark://127.0.0.1:1 .*spark-conn") as failure:
        subject.wait_for_master("spark://127.0.0.1:1", 0.1)
    assert failure.value.exit_code == 69


@pytest.mark.parametrize("master", ["yarn", "", "spark://nohost", "k8s://https://x"])
def test_a_master_that_is_none_is_a_matter_of_configuration(master):
    with pytest.raises(subject.Failure, match="HOST:PORT") as failure:
        subject.wait_for_master(master, 0.1)
    assert failure.value.exit_code == 78


def test_a_program_that_is_not_shipped_is_named():
    subject.check_that_the_program_is_shipped("fake", "/a/other,file:///b/fake")
    with pytest.raises(subject.Failure, match="add --files PATH/fake"):
        subject.check_that_the_program_is_shipped("fake", "/a/other")


@pytest.mark.parametrize("words", [["--members=0", "fake"], ["--members=65", "fake"], ["--members=two", "fake"], []])
def test_wrong_arguments_are_refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        subject.parse(words)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_program_s_arguments_are_not_the_driver_s():
    parsed = subject.parse(["--members=3", "fake", "--members=9", "--until-latest"])
    assert (parsed.members, parsed.program, parsed.arguments) == (3, "fake", ["--members=9", "--until-latest"])


def test_when_java_has_ended_first_nobody_else_is_ended_in_its_place():
    """The parent is then another process: a supervisor of servers, or the first one of a container."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    parent = "import signal, subprocess, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(99)); sys.exit(subprocess.call(sys.argv[1:]))"
    child = f"import sys; sys.path.insert(0, {str(DAGS_FOLDER / 'spark')!r}); import members; members.end_with({ended.pid}, members.java_above())"
    done = subprocess.run([sys.executable, "-c", parent, sys.executable, "-c", child], timeout=30)
    assert done.returncode == 128 + signal.SIGTERM
