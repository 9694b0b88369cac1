"""`status` and `logs`: what runs, whether it answers, what it says."""

import os
from concurrent.futures import ThreadPoolExecutor

from . import processes
from .console import StackError, human_duration
from .layout import Stack
from .probe import NotReady
from .services import ALL, NAMES, Service
from .supervisor import Supervisor


def status(stack: Stack) -> bool:
    """One line a service; true when all of them answer."""
    states = Supervisor(stack).states()
    everything = processes.everything()
    shown = [s for s in ALL if not s.on_request or states.get(s.name, {}).get("statename", "STOPPED") != "STOPPED"]
    with ThreadPoolExecutor(len(shown)) as pool:
        healths = list(pool.map(lambda s: _health(stack, s, states), shown))
    print(f"{'service':<22}{'state':<10}{'health':<34}{'pid':>8}  {'port':<6}{'up for':<13}{'memory':>8}")
    for service, health in zip(shown, healths):
        info = states.get(service.name, {})
        pid = info.get("pid") or 0
        state = info.get("statename", "STOPPED").lower()
        family = processes.descendants({pid}, everything) if pid else set()
        port = stack.port(service.port) if service.port != "airflow" or service.name == "airflow-api-server" else ""
        print(f"{service.name:<22}{state:<10}{health[:33]:<34}{pid or '-':>8}  {port:<6}"
              f"{human_duration(processes.uptime(pid)) if pid else '-':<13}"
              f"{f'{processes.memory(list(family)) >> 20} MiB' if pid else '-':>8}")
    if states:
        print(f"\nPipeline    http://localhost:{stack.port('control-center')}")
        print(f"Airflow     http://localhost:{stack.port('airflow')}  (admin/admin)")
        print(f"Spark       http://localhost:{stack.port('spark-page')}")
        for name, value in stack.client_environment().items():
            if name in ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "CASSANDRA_CONTACT_POINTS", "SCHEMA_REGISTRY_URL", "STREAMFLOW_API_URL"):
                print(f"{name}={value}")
    else:
        print(f"\nThe stack {stack.name!r} does not run: `make up` starts it.")
    return all(health == "ok" for health in healths)


def _health(stack: Stack, service: Service, states: dict) -> str:
    if states.get(service.name, {}).get("statename") not in ("RUNNING", "STARTING"):
        return "-"
    try:
        service.probe(stack)
        return "ok"
    except NotReady as why:
        return str(why)


def logs(stack: Stack, name: str | None) -> None:
    """The last lines of a service's log, then each new one, also across a rotation of the file."""
    if name not in NAMES:
        given = f"there is no service {name!r}" if name else "name a service"
        raise StackError(f"{given}: `make logs S=NAME` or `local/stack logs NAME`, with NAME one of {', '.join(NAMES)}.", 2)
    path = stack.logs / f"{name}.log"
    if not path.exists():
        raise StackError(f"{name} has not been started yet: {path} is not there.")
    os.execvp("tail", ["tail", "-n", "200", "-F", str(path)])
