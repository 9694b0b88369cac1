"""Runs the program in a container, by DockerOperator. `make image` makes the image.

STREAMFLOW_DOCKER_IMAGE names it, STREAMFLOW_DOCKER_NETWORK the network (`host` unless given), DOCKER_HOST the engine.
"""

from __future__ import annotations

import json
import os
import re
from functools import cached_property, partial
from typing import Any

import docker.errors
from airflow.providers.docker.exceptions import DockerContainerFailedException
from airflow.providers.docker.hooks.docker import DockerHook
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowException

from . import NOTHING_TO_DO, Job, ProgramFailed, ended_with, execute_inside, program_environment
from .supervisor import Supervisor

DEFAULT_IMAGE = "streamflow-programs:latest"
TASK_LABEL = "streamflow.task"
AIRFLOW_LABEL = "streamflow.airflow"


class Runner:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.supervisor = Supervisor()
        self.image = os.environ.get("STREAMFLOW_DOCKER_IMAGE") or DEFAULT_IMAGE
        # Several Airflows may share an engine.
        self.labels = {TASK_LABEL: job.name, AIRFLOW_LABEL: conf.get("api", "base_url", fallback="")}
        self.operator = ConfinedDockerOperator(
            task_id=job.program,
            image=self.image,
            command=[job.program, *job.arguments],
            # Private: the other kind is kept in Airflow's database and shown in its UI, and there are passwords among these.
            private_environment=program_environment(),
            network_mode=os.environ.get("STREAMFLOW_DOCKER_NETWORK") or "host",
            mount_tmp_dir=False,
            auto_remove="force",
            # Standard output and standard error come in one stream, and a log line may overtake the last line.
            xcom_all=True,
            skip_on_exit_code=NOTHING_TO_DO,
            labels=self.labels,
        )

    def run(self, context: Any) -> str:
        self._reach_the_engine()
        try:
            self._remove_what_a_killed_worker_left()
            lines = execute_inside(self.operator, context) or []
        except DockerContainerFailedException as failure:
            code = re.search(r"'StatusCode': (\d+)", str(failure))
            raise ended_with(self.job.program, int(code[1]) if code else 70) from None
        except docker.errors.APIError as refusal:
            raise self._explained(refusal) from None
        return next((line for line in reversed(lines) if _is_object(line)), "")

    def stop(self) -> None:
        if not self.supervisor.is_gone():
            self.operator.on_kill()
        # The operator begins with a line to the log, and would end there.
        elif self.operator.container:
            self._remove(self.operator.container["Id"])

    def _reach_the_engine(self) -> None:
        try:
            self.operator.cli.ping()
        except (docker.errors.DockerException, AirflowException, OSError) as failure:
            raise ProgramFailed(
                69,
                f"no Docker engine answers at {self.operator.docker_url} ({_reason(failure)}): start it, or let DOCKER_HOST of "
                "the Airflow workers name one that their user may use.",
            ) from None

    def _remove_what_a_killed_worker_left(self) -> None:
        # A DAG's runs do not overlap, so that whatever has this task's name belongs to a try that Airflow has given up.
        labels = [f"{name}={value}" for name, value in self.labels.items()]
        for left in self.operator.cli.containers(all=True, filters={"label": labels}):
            self.operator.log.warning("Removing container %s, which an earlier try left behind", left["Id"][:12])
            self._remove(left["Id"])

    def _remove(self, container: str) -> None:
        self.operator.cli.stop(container)
        self.operator.cli.remove_container(container, force=True)

    def _explained(self, refusal: docker.errors.APIError) -> ProgramFailed:
        if not self.operator.cli.images(name=self.image):
            return ProgramFailed(
                78,
                f"the image {self.image} is not on the Docker engine and cannot be pulled ({_reason(refusal)}): make it with "
                "'make image', or let STREAMFLOW_DOCKER_IMAGE of the Airflow workers name another; then clear this task.",
            )
        if "executable file not found" in str(refusal) or "no such file or directory" in str(refusal):
            return ProgramFailed(
                78,
                f"the image {self.image} has no program {self.job.program}: make it anew with 'make image', then clear this task.",
            )
        return ProgramFailed(69, f"the Docker engine refused to run the image {self.image}: {_reason(refusal)}")


class ConfinedDockerOperator(DockerOperator):
    """DockerOperator with what it has no parameters for: a read-only file system, and no rights beyond the user's."""

    @cached_property
    def hook(self) -> DockerHook:
        hook = super().hook
        client = hook.api_client
        client.create_host_config = partial(
            client.create_host_config, read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges"]
        )
        return hook


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _reason(failure: Exception) -> str:
    text = getattr(failure, "explanation", None) or str(failure.__cause__ or failure)
    return " ".join(str(text).split())
