"""A task that is ended while its program runs, in Airflow or with a process of Airflow that is killed: nothing of it is left,
and its next try ends right."""

from __future__ import annotations

import os
import signal
import threading
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from live import connect, needs_airflow, needs_engine, processes_with, wait_for, wait_until_quiet
from streamflow_stack import processes
from streamflow_stack.layout import Stack

pytestmark = needs_airflow

USERS = 50
TASK = ("user_automation", "fetch_publish")
RUNNERS = ["bash", "spark", pytest.param("docker", marks=needs_engine)]


class HoldingApi:
    """Stands before the stack's API and holds every request until it is told to let them through."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.asked = threading.Event()
        api = self
        behind = os.environ["STREAMFLOW_API_URL"].split("/api/")[0]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.asked.set()
                api.open.wait()
                try:
                    with urllib.request.urlopen(behind + self.path, timeout=30) as answer:
                        body = answer.read()
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # The program that asked has been ended.

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def held_api():
    api = HoldingApi()
    yield api
    api.close()


def mark_failed(airflow, run_id):
    airflow.set_task_state(TASK[0], run_id, TASK[1], "failed")


def clear(airflow, run_id):
    airflow.clear_task(TASK[0], run_id, TASK[1])


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("end_it", [mark_failed, clear])
def test_a_task_ended_in_airflow_leaves_no_process_and_its_next_try_ends_right(held_api, end_it, runner):
    airflow = connect()
    seed = f"kill-{uuid.uuid4()}"
    conf = {"users": USERS, "seed": seed, "api_url": held_api.url, "runner": runner}
    run_id = airflow.trigger(TASK[0], conf)
    wait_for(held_api.asked.is_set, 120, "request of the task's program")
    # With Spark: spark-submit, the driver, and the member with its shell.
    first = set(processes_with(f"--seed={seed}"))
    assert first

    end_it(airflow, run_id)
    wait_for(lambda: not first & set(processes_with(f"--seed={seed}")), 15, "end of the task's processes")

    held_api.open.set()
    if end_it is mark_failed:
        assert airflow.wait_for_run(TASK[0], run_id, timeout_s=60) == "failed"
        clear(airflow, run_id)
        wait_for(lambda: airflow.run(TASK[0], run_id)["state"] != "failed", 30, "start of the next try")
    assert airflow.wait_for_run(TASK[0], run_id, timeout_s=180) == "success"
    summary = airflow.xcom(TASK[0], run_id, TASK[1])
    assert (summary["fetched"], summary["published"]) == (USERS, USERS)
    assert processes_with(f"--seed={seed}") == []
    wait_until_quiet(airflow)


@pytest.fixture
def held_program(held_api):
    """A run by Bash whose program waits for the API: Airflow, the run's id, and the program's process."""
    airflow = connect()
    seed = f"kill-{uuid.uuid4()}"
    run_id = airflow.trigger(TASK[0], {"users": USERS, "seed": seed, "api_url": held_api.url, "runner": "bash"})
    wait_for(held_api.asked.is_set, 120, "request of the task's program")
    [program] = processes_with(f"--seed={seed}")
    return airflow, run_id, processes.read(program)


def airflow_s_process_above(process: processes.Process) -> processes.Process:
    above = processes.read(process.parent)
    assert above in processes.of_stack(Stack.from_environment())
    assert processes.command_line(above.pid).startswith("airflow worker -- ")
    return above


def kill(process: processes.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)


def assert_ends_right(airflow, run_id, tries: int) -> None:
    assert airflow.wait_for_run(TASK[0], run_id, timeout_s=180) == "success"
    assert airflow.task(TASK[0], run_id, TASK[1])["try_number"] == tries
    summary = airflow.xcom(TASK[0], run_id, TASK[1])
    assert (summary["fetched"], summary["landed"], summary["published"]) == (USERS, USERS, USERS)
    wait_until_quiet(airflow)


def test_the_program_ends_with_the_task_s_process_and_airflow_tries_again(held_api, held_program):
    airflow, run_id, program = held_program
    kill(airflow_s_process_above(program))
    wait_for(lambda: not processes.is_alive(program), 15, "end of the program")
    held_api.open.set()
    assert_ends_right(airflow, run_id, tries=2)


def test_the_program_ends_with_the_worker_and_the_next_try_ends_right(held_api, held_program):
    airflow, run_id, program = held_program
    task = airflow_s_process_above(program)
    kill(airflow_s_process_above(task))
    wait_for(lambda: not processes.is_alive(program) and not processes.is_alive(task), 15, "end of program and task")
    held_api.open.set()
    # Airflow itself notices after 5 minutes without a heartbeat, and then tries again.
    mark_failed(airflow, run_id)
    wait_for(lambda: airflow.run(TASK[0], run_id)["state"] == "failed", 60, "end of the run")
    clear(airflow, run_id)
    wait_for(lambda: airflow.run(TASK[0], run_id)["state"] != "failed", 30, "start of the next try")
    assert_ends_right(airflow, run_id, tries=2)
