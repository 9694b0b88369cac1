"""Run by the service `airflow-init` at every start, before Airflow's servers: makes what is not there yet.

The keys of this installation (once), Airflow's tables, the first user, and the connection to Spark. In one process, because each
run of Airflow's command line loads all of Airflow.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path

KEYS = Path("/opt/airflow/secrets")

# What each key is made of; Airflow reads the files by its settings AIRFLOW__…_CMD.
MAKERS = {
    "fernet_key": lambda: secrets.token_urlsafe(32) + "=",
    "api_secret_key": lambda: secrets.token_hex(32),
    "jwt_secret": lambda: secrets.token_hex(32),
}

SPARK = {
    "conn_type": "spark",
    "host": "spark://spark-master",
    "port": 7077,
    "extra": json.dumps({"deploy-mode": "client", "spark-binary": "spark-submit"}),
}


def main() -> None:
    make_keys()
    from airflow.cli.cli_parser import get_parser

    def airflow(*words: str) -> None:
        arguments = get_parser().parse_args(words)
        arguments.func(arguments)

    airflow("db", "migrate")
    # A user or a connection that is there stays as it is: somebody may have changed it.
    user = os.environ["_AIRFLOW_WWW_USER_USERNAME"]
    password = os.environ["_AIRFLOW_WWW_USER_PASSWORD"]
    airflow("users", "create", "--username", user, "--password", password, "--role", "Admin",
            "--firstname", "Admin", "--lastname", "StreamFlow", "--email", f"{user}@localhost")  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"spark-conn": SPARK}, file)
        file.flush()
        airflow("connections", "import", file.name)


def make_keys() -> None:
    for name, make in MAKERS.items():
        path = KEYS / name
        if path.exists():
            continue
        # Written beside it and renamed: a start that is broken off leaves no half key.
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(make())
        part.rename(path)
        print(f"made {path}", flush=True)


if __name__ == "__main__":
    main()
