"""Run by Airflow's own Python: makes or upgrades its tables, then its user admin and its connection to Spark, in one process.

Several runs of its command line would load Airflow several times, which takes longer than the work. A line on standard output
tells when the tables and the user are there: from then on its servers can start.
"""

import contextlib
import json
import os
import sys
from urllib.parse import urlsplit

TABLES_READY = "local/stack: the tables are ready"

SPARK_CONNECTION = "spark-conn"
MADE_BY_US = "Made by local/stack, which brings it up to date. With another description it stays as you change it."


def main() -> None:
    from airflow.cli.cli_parser import get_parser

    def run(*words: str) -> None:
        arguments = get_parser().parse_args(words)
        with contextlib.redirect_stdout(sys.stderr):
            arguments.func(arguments)

    run("db", "migrate")
    # An API server that starts meanwhile makes the same roles, and one of the two fails.
    run("users", "create", "--username", "admin", "--password", "admin", "--firstname", "Admin", "--lastname", "Local",
        "--role", "Admin", "--email", "admin@localhost")
    print(TABLES_READY, flush=True)
    connect_spark()


def connect_spark() -> None:
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    master = urlsplit(os.environ["SPARK_MASTER_URL"])
    with create_session() as session:
        connection = session.scalar(select(Connection).where(Connection.conn_id == SPARK_CONNECTION))
        if connection is None:
            connection = Connection(conn_id=SPARK_CONNECTION, description=MADE_BY_US)
            session.add(connection)
        if connection.description != MADE_BY_US:
            return
        connection.conn_type = "spark"
        connection.host, connection.port = f"spark://{master.hostname}", master.port
        connection.set_extra(json.dumps({"deploy-mode": "client", "spark-binary": "spark-submit"}))


if __name__ == "__main__":
    main()
