"""Spark: a standalone master and one worker, from the same package as the `spark-submit` that talks to them."""

import shutil

from .. import probe, processes
from ..install import stamp_of
from ..layout import HOST, Stack
from .service import Service, write_if_changed

MASTER = """\
# Written by local/stack at every start.
# A port that is taken is an error: Spark would take the next one, where nobody looks for it.
spark.port.maxRetries 0
# An application that names no number of cores leaves some to the others.
spark.deploy.defaultCores 2
# A master that was killed and started again goes on with its worker and its applications. Without this, the applications
# wait for it for ever. It waits this many seconds for a worker that has gone at the same time.
spark.deploy.recoveryMode FILESYSTEM
spark.deploy.recoveryDirectory {data}/recovery
spark.worker.timeout 20
"""

WORKER = """\
# Written by local/stack at every start.
spark.port.maxRetries 0
# The folders of applications that have ended, with the programs and logs in them.
spark.worker.cleanup.enabled true
spark.worker.cleanup.interval 600
spark.worker.cleanup.appDataTtl 3600
"""

# For whoever submits with the variables of `local/stack env`. The applications compute little and end soon: with the quick
# compiler alone, one takes half of the processor time.
DEFAULTS = """\
# Written by local/stack at every start.
spark.driver.defaultJavaOptions -XX:TieredStopAtLevel=1
spark.executor.defaultJavaOptions -XX:TieredStopAtLevel=1
"""

# What the worker offers. Nothing is reserved: the tasks start programs that wait for servers most of the time.
CORES = "8"
MEMORY = "8g"


class SparkService(Service):
    stop_wait = 30
    page: str  # of layout.BASE_PORTS
    main_class: str
    properties: str
    folders: tuple[str, ...]

    def configuration(self, stack: Stack):
        return [self.data(stack) / "spark.properties"]

    def prepare(self, stack: Stack) -> None:
        for folder in self.folders:
            (self.data(stack) / folder).mkdir(parents=True, exist_ok=True)
        write_if_changed(self.data(stack) / "spark.properties", self.properties.format(data=self.data(stack)))

    def environment(self, stack: Stack) -> dict[str, str]:
        return {
            **stack.base_environment(),
            "SPARK_DAEMON_MEMORY": "256m",
            # The quick compiler alone here too: a start takes half of the processor time.
            "SPARK_DAEMON_JAVA_OPTS": "-Xms32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError",
        }

    def command(self, stack: Stack) -> list[str]:
        return [str(stack.spark_home / "bin" / "spark-class"), self.main_class, "--host", HOST, "--webui-port", str(stack.port(self.page)),
                "--properties-file", str(self.data(stack) / "spark.properties"), *self.arguments(stack)]

    def arguments(self, stack: Stack) -> list[str]:
        raise NotImplementedError

    def fingerprint(self, stack: Stack) -> str:
        return f"{super().fingerprint(stack)}-{stamp_of(stack.opt / 'spark')}"


class Master(SparkService):
    name = "spark-master"
    port = "spark-master"
    page = "spark-page"
    more_ports = ("spark-page",)
    main_class = "org.apache.spark.deploy.master.Master"
    properties = MASTER
    folders = ("recovery",)

    def prepare(self, stack: Stack) -> None:
        # What ran when the stack was stopped has ended: a new start does not wait for it.
        if not processes.of_stack(stack, self.name):
            shutil.rmtree(self.data(stack) / "recovery", ignore_errors=True)
        super().prepare(stack)
        write_if_changed(stack.spark_conf / "spark-defaults.conf", DEFAULTS)

    def arguments(self, stack: Stack) -> list[str]:
        return ["--port", str(stack.port("spark-master"))]

    def probe(self, stack: Stack) -> None:
        probe.spark_master(stack.port("spark-page"))


class Worker(SparkService):
    name = "spark-worker"
    port = page = "spark-worker-page"
    needs = ("spark-master",)
    main_class = "org.apache.spark.deploy.worker.Worker"
    properties = WORKER
    folders = ("work", "local")

    def environment(self, stack: Stack) -> dict[str, str]:
        return {**super().environment(stack), "SPARK_LOCAL_DIRS": str(self.data(stack) / "local")}

    def arguments(self, stack: Stack) -> list[str]:
        return ["--cores", CORES, "--memory", MEMORY, "--work-dir", str(self.data(stack) / "work"),
                f"spark://{stack.address('spark-master')}"]

    def probe(self, stack: Stack) -> None:
        probe.spark_worker(stack.port("spark-page"), stack.port("spark-worker-page"))


SERVICES = (Master(), Worker())
