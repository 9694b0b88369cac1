"""Run by Airflow's own Python: makes or upgrades its tables, then its user admin, in one process.

Two runs of its command line would load Airflow twice, which takes longer than the work. A line on standard output tells when
the tables are there: from then on its servers can start.
"""

import contextlib
import sys

TABLES_READY = "local/stack: the tables are ready"


def main() -> None:
    from airflow.cli.cli_parser import get_parser

    def run(*words: str) -> None:
        arguments = get_parser().parse_args(words)
        with contextlib.redirect_stdout(sys.stderr):
            arguments.func(arguments)

    run("db", "migrate")
    print(TABLES_READY, flush=True)
    run("users", "create", "--username", "admin", "--password", "admin", "--firstname", "Admin", "--lastname", "Local",
        "--role", "Admin", "--email", "admin@localhost")


if __name__ == "__main__":
    main()
