"""Kafka: one node that is broker and controller (KRaft), from Maven's jars."""

import base64
import subprocess
import uuid

from .. import probe
from ..console import StackError
from ..layout import HOST, Stack
from .service import Service, write_if_changed

# Of any Kafka that is one node alone.
ONE_NODE = """\
# Topics are made by `streamflow init`; a misspelt name is an error, not a new topic.
auto.create.topics.enable=false
# One node can hold one replica. Few partitions for Kafka's own topics: 50 of each only slow the start.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
# How many keys of a compacted topic are cleaned in one go: the default takes 128 MB of the heap, whether it is needed or not.
log.cleaner.dedupe.buffer.size=8388608
group.initial.rebalance.delay.ms=0
"""

PROPERTIES = """\
# Written by local/stack at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
"""

LOGGING = """\
# Written by local/stack at every start.
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %m (%c{1})%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
# Every configuration value, every minute's figures, every member that comes and goes: they hide what matters.
logger.config.name = org.apache.kafka.common.config.AbstractConfig
logger.config.level = warn
logger.monitor.name = org.apache.kafka.controller.EventPerformanceMonitor
logger.monitor.level = warn
logger.groups.name = org.apache.kafka.coordinator.group
logger.groups.level = warn
"""


class Kafka(Service):
    name = "kafka"
    port = "kafka"
    more_ports = ("kafka-controller",)
    stop_wait = 30

    def configuration(self, stack: Stack):
        return [self.data(stack) / "server.properties", self.data(stack) / "log4j2.properties"]

    def _java(self, stack: Stack, heap: str) -> list[str]:
        logging = self.data(stack) / "log4j2.properties"
        return [str(stack.java), f"-Xmx{heap}", f"-Dlog4j2.configurationFile={logging.as_uri()}",
                "-XX:+ExitOnOutOfMemoryError", "-cp", f"{stack.opt / 'jars' / 'kafka'}/*"]

    def prepare(self, stack: Stack) -> None:
        home = self.data(stack)
        data = home / "data"
        write_if_changed(home / "server.properties", PROPERTIES.format(
            host=HOST, port=stack.port("kafka"), controller=stack.port("kafka-controller"), data=data) + ONE_NODE)
        write_if_changed(home / "log4j2.properties", LOGGING)
        if (data / "meta.properties").exists():
            return
        cluster = "-"
        while cluster.startswith("-"):  # it would be read as a flag
            cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        done = subprocess.run(
            [*self._java(stack, "128m"), "kafka.tools.StorageTool", "format", "--cluster-id", cluster,
             "--config", home / "server.properties", "--ignore-formatted"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=home)
        if done.returncode != 0:
            raise StackError(f"kafka: its data folder {data} could not be formatted:\n{done.stdout[-2000:]}")

    def command(self, stack: Stack) -> list[str]:
        java = self._java(stack, "768m")
        # What a request allocates is dead when it is answered: with much room for it, collections are few and short (docs/decisions/0014).
        return [*java[:1], "-Xms512m", "-Xmn320m", "-XX:+UseParallelGC", *java[1:], "kafka.Kafka", str(self.data(stack) / "server.properties")]

    def probe(self, stack: Stack) -> None:
        probe.kafka(stack.port("kafka"))
