"""Cassandra: one node, from Maven's jars, with a configuration of our own."""

import json
import os

from .. import probe
from ..console import StackError
from ..layout import HOST, Stack
from .service import Service, write_if_changed

# JSON strings are YAML strings too: so paths are quoted whatever they hold.
YAML = """\
# Written by local/stack at every start.
cluster_name: StreamFlow
num_tokens: 16
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
{commitlog_sync}
data_file_directories: [{data}]
commitlog_directory: {commitlog}
hints_directory: {hints}
saved_caches_directory: {saved_caches}
cdc_raw_directory: {cdc_raw}
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{{seeds: "{host}:{storage}"}}]
listen_address: {host}
storage_port: {storage}
rpc_address: {host}
native_transport_port: {port}
endpoint_snitch: SimpleSnitch
# The jobs write batches of many partitions on purpose, just below the size that Cassandra refuses (its default, kept
# here): without warnings of each the log stays readable.
batch_size_warn_threshold: 50KiB
batch_size_fail_threshold: 50KiB
unlogged_batch_across_partitions_warn_threshold: 10000
# What Cassandra recommends for new clusters (its cassandra_latest.yaml).
storage_compatibility_mode: NONE
memtable:
  configurations:
    trie:
      class_name: TrieMemtable
    default:
      inherits: trie
memtable_allocation_type: offheap_objects
sstable:
  selected_format: bti
# Its strategy of compaction, too, but merging only what has 32 tables of a size: a table that is filled once gains nothing from merges on the
# way, and on few cores they take processor time from the writes (docs/decisions/0014).
default_compaction:
  class_name: UnifiedCompactionStrategy
  parameters:
    scaling_parameters: T32
    target_sstable_size: 1GiB
# Development data: no copy of a table when it is dropped or emptied.
auto_snapshot: false
"""

# How the log of the writes comes to the disk. Cassandra's default is quick, and a node that is killed can forget what it has acknowledged last:
# one of several replicas may, a single node must not. With `batch`, acknowledged means on the disk; many writes wait for the same sync.
COMMITLOG_SYNC = {
    "periodic": "commitlog_sync: periodic\ncommitlog_sync_period: 10000ms",
    "batch": "commitlog_sync: batch\nconcurrent_writes: 256",
}

LOGBACK = """\
<!-- Written by local/stack at every start. -->
<configuration scan="false">
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date{ISO8601} %-5level %msg \\(%logger{0}\\)%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
"""

EXPORTS = ("java.base/jdk.internal.misc", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
           "java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry", "java.rmi/sun.rmi.server",
           "java.sql/java.sql", "jdk.unsupported/sun.misc")
OPENS = ("java.base/java.lang", "java.base/java.util", "java.base/java.nio", "java.base/java.io", "java.base/java.lang.module",
         "java.base/jdk.internal.loader", "java.base/jdk.internal.ref", "java.base/jdk.internal.reflect",
         "java.base/jdk.internal.math", "java.base/jdk.internal.module", "java.base/jdk.internal.util.jar",
         "java.base/sun.nio.ch", "jdk.management/com.sun.management.internal")


class Cassandra(Service):
    name = "cassandra"
    port = "cassandra"
    more_ports = ("cassandra-storage",)
    stop_wait = 60

    def configuration(self, stack: Stack):
        return [self.data(stack) / "cassandra.yaml", self.data(stack) / "logback.xml"]

    def prepare(self, stack: Stack) -> None:
        home = self.data(stack)
        folders = {name: json.dumps(str(home / name)) for name in ("data", "commitlog", "hints", "saved_caches", "cdc_raw")}
        sync = os.environ.get("STREAMFLOW_CASSANDRA_COMMITLOG_SYNC") or "periodic"
        if sync not in COMMITLOG_SYNC:
            raise StackError(f"STREAMFLOW_CASSANDRA_COMMITLOG_SYNC={sync!r}: there are {', '.join(COMMITLOG_SYNC)}.", 2)
        write_if_changed(home / "cassandra.yaml", YAML.format(
            commitlog_sync=COMMITLOG_SYNC[sync], host=HOST, port=stack.port("cassandra"), storage=stack.port("cassandra-storage"), **folders))
        write_if_changed(home / "logback.xml", LOGBACK)

    def command(self, stack: Stack) -> list[str]:
        home = self.data(stack)
        return [
            str(stack.java), "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=50", "-XX:+ExitOnOutOfMemoryError",
            # A tenth less processor time where Linux gives huge pages to who asks for them (docs/decisions/0014); no more than a warning elsewhere.
            "-XX:+UseTransparentHugePages", "-XX:+AlwaysPreTouch",
            # Left to itself G1 marks its old objects every other second of a long drain, with two thirds of the heap still free.
            "-XX:-G1UseAdaptiveIHOP", "-XX:InitiatingHeapOccupancyPercent=70",
            "-Djdk.attach.allowAttachSelf=true",
            f"-Dcassandra.config={(home / 'cassandra.yaml').as_uri()}",
            f"-Dcassandra.storagedir={home}",
            f"-Dlogback.configurationFile={(home / 'logback.xml').as_uri()}",
            "-Dcassandra-foreground=yes",
            # One node has nobody to wait for.
            "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.ring_delay_ms=0",
            "-Dio.netty.tryReflectionSetAccessible=true",
            *(f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS),
            *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENS),
            "-cp", f"{stack.opt / 'jars' / 'cassandra'}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ]

    def probe(self, stack: Stack) -> None:
        probe.cassandra(stack.port("cassandra"))
