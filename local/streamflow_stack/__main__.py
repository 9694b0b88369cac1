"""The command line of the local stack."""

import argparse
import os
import shlex
import sys

from .console import StackError


def _parser() -> argparse.ArgumentParser:
    from .services import NAMES
    parser = argparse.ArgumentParser(
        prog="local/stack", description="The servers of StreamFlow on this machine, without Docker.",
        epilog="STREAMFLOW_STACK names the stack (default: local; tests use test, on ports shifted by 20000). "
               "STREAMFLOW_PORT_OFFSET shifts its ports by another number.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("install", help="fetch what is missing into .local/opt")
    one = commands.add_parser("up", help="install, start, and wait until every server answers")
    one.add_argument("--only", metavar="NAMES", default="", help=f"only these, separated by commas: {', '.join(NAMES)}; "
                                                                 "airflow is short for its four, spark for its two. "
                                                                 "zookeeper and kafka-on-zookeeper start only when they are named")
    commands.add_parser("down", help="stop everything; the data stays")
    commands.add_parser("status", help="one line a service; exits with 1 when one of them does not answer")
    one = commands.add_parser("logs", help="follow the log of a service")
    one.add_argument("service", nargs="?")
    commands.add_parser("clean", help="down, and remove the data (and what was downloaded, for the stack local)")
    commands.add_parser("env", help="print the variables with which programs find the servers, for a shell")
    one = commands.add_parser("signal", help="make a fault: send KILL, TERM, INT, STOP or CONT to a server; one that ends is started again")
    one.add_argument("service", choices=NAMES, metavar="SERVICE")
    one.add_argument("signal", choices=("KILL", "TERM", "INT", "STOP", "CONT"), metavar="SIGNAL")
    one = commands.add_parser("address", help="print where a service listens, as HOST:PORT")
    one.add_argument("service", choices=NAMES, metavar="SERVICE")
    # What follows these two is not ours to read.
    commands.add_parser("cql", help="cqlsh on the stack's Cassandra", add_help=False)
    commands.add_parser("airflow", help="Airflow's own command line, with the settings of the stack", add_help=False)
    return parser


def _become(argv: list[str], environment: dict[str, str]) -> None:
    try:
        os.execve(argv[0], argv, environment)
    except FileNotFoundError:
        raise StackError(f"{argv[0]} is not there: run `local/stack install` first.") from None


def _run(arguments: argparse.Namespace, rest: list[str]) -> int:
    from .layout import Stack
    stack = Stack.from_environment()
    match arguments.command:
        case "install":
            from .install import install
            install(stack)
        case "up":
            from .services import NAMES
            from .up import up
            only = [name for name in arguments.only.split(",") if name]
            for several in {"airflow", "spark"} & set(only):
                only += [name for name in NAMES if name.startswith(f"{several}-")]
            if unknown := sorted(set(only) - {"airflow", "spark", *NAMES}):
                raise StackError(f"--only: no service is named {', '.join(unknown)}; there are {', '.join(NAMES)}.", 2)
            up(stack, only)
        case "down":
            from .lifecycle import down
            down(stack)
        case "clean":
            from .lifecycle import clean
            clean(stack)
        case "signal":
            from .lifecycle import send_signal
            send_signal(stack, arguments.service, arguments.signal)
        case "status":
            from .status import status
            return 0 if status(stack) else 1
        case "logs":
            from .status import logs
            logs(stack, arguments.service)
        case "env":
            for name, value in stack.client_environment().items():
                print(f"export {name}={shlex.quote(value)}")
        case "address":
            from .services import by_name
            print(stack.address(by_name(arguments.service).port))
        case "cql":
            host, port = stack.address("cassandra").split(":")
            environment = stack.base_environment()
            del environment["STREAMFLOW_STACK_ID"]  # a person's process, not one that `down` may end
            _become([str(stack.tools_python), "-m", "cqlshlib", *rest, host, port], environment)
        case "airflow":
            from .services.airflow import environment as airflow_environment
            environment = airflow_environment(stack)
            del environment["STREAMFLOW_STACK_ID"]
            _become([str(stack.airflow_python), "-m", "airflow", *rest], environment)
    return 0


def main() -> int:
    try:
        arguments, rest = _parser().parse_known_args()
        if rest and arguments.command not in ("cql", "airflow"):
            raise StackError(f"{arguments.command} does not take {' '.join(rest)}: see local/stack --help.", 2)
        return _run(arguments, rest)
    except StackError as error:
        print("\n".join(f"local/stack: {line}" if i == 0 else line for i, line in enumerate(str(error).splitlines())), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("local/stack: interrupted. Start again to go on; `local/stack down` ends servers that were started already", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
