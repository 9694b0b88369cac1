"""For those who still run it: ZooKeeper, and a second Kafka that it manages (3.9, the last one that can be). Both start only when they are named:

    local/stack up --only zookeeper,kafka-on-zookeeper
"""

from .. import probe
from ..layout import HOST, Stack
from .kafka import ONE_NODE
from .service import Service, write_if_changed

ZOOKEEPER = """\
# Written by local/stack at every start.
clientPortAddress={host}
clientPort={port}
dataDir={data}
admin.enableServer=false
# Kafka's one connection, and whoever looks on.
maxClientCnxns=60
"""

KAFKA = """\
# Written by local/stack at every start.
broker.id=1
zookeeper.connect={zookeeper}
listeners=PLAINTEXT://{host}:{port}
advertised.listeners=PLAINTEXT://{host}:{port}
log.dirs={data}
"""

# These versions log by log4j 1.
LOGGING = """\
# Written by local/stack at every start.
log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %-5p %m (%c{1})%n
log4j.logger.kafka.server.KafkaConfig=WARN
log4j.logger.org.apache.kafka.common.config.AbstractConfig=WARN
log4j.logger.kafka.coordinator.group=WARN
"""


class _JavaService(Service):
    on_request = True
    heap: str
    main_class: str
    file: str
    properties: str

    def configuration(self, stack: Stack):
        return [self.data(stack) / self.file, self.data(stack) / "log4j.properties"]

    def prepare(self, stack: Stack) -> None:
        home = self.data(stack)
        write_if_changed(home / self.file, self.properties.format(
            host=HOST, port=stack.port(self.port), data=home / "data", zookeeper=stack.address("zookeeper")))
        write_if_changed(home / "log4j.properties", LOGGING)

    def command(self, stack: Stack) -> list[str]:
        home = self.data(stack)
        return [str(stack.java), f"-Xmx{self.heap}", "-XX:+UseSerialGC", f"-Dlog4j.configuration={(home / 'log4j.properties').as_uri()}",
                "-XX:+ExitOnOutOfMemoryError", "-cp", f"{stack.opt / 'jars-zookeeper' / 'zookeeper'}/*",
                self.main_class, str(home / self.file)]


class ZooKeeper(_JavaService):
    name = port = "zookeeper"
    heap = "128m"
    main_class = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    file = "zoo.cfg"
    properties = ZOOKEEPER

    def probe(self, stack: Stack) -> None:
        probe.zookeeper(stack.port(self.port))


class KafkaOnZooKeeper(_JavaService):
    name = port = "kafka-on-zookeeper"
    needs = ("zookeeper",)
    heap = "384m"
    main_class = "kafka.Kafka"
    file = "server.properties"
    properties = KAFKA + ONE_NODE
    stop_wait = 30

    def probe(self, stack: Stack) -> None:
        probe.kafka(stack.port(self.port))


SERVICES = (ZooKeeper(), KafkaOnZooKeeper())
