"""A Schema Registry with Confluent's API (Apicurio Registry), which keeps the schemas in PostgreSQL.

Not in its own H2 files: those have lost a schema when it was killed a second after it had given the schema's number.
"""

from .. import probe
from ..layout import HOST, Stack
from .postgres import Postgres
from .service import Service

DATABASE = "schema_registry"  # and its user


class SchemaRegistry(Service):
    name = "schema-registry"
    port = "schema-registry"
    more_ports = ("schema-registry-management",)
    needs = ("postgres",)

    def prepare(self, stack: Stack) -> None:
        Postgres().add_database(stack, DATABASE)

    def command(self, stack: Stack) -> list[str]:
        settings = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": stack.port("schema-registry"),
            "quarkus.http.access-log.enabled": "false",
            # Its own health and metrics, which would listen on every address otherwise.
            "quarkus.management.host": HOST,
            "quarkus.management.port": stack.port("schema-registry-management"),
            "quarkus.log.level": "WARN",
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "postgresql",
            "apicurio.datasource.url": f"jdbc:postgresql://{stack.address('postgres')}/{DATABASE}",
            "apicurio.datasource.username": DATABASE,
            "apicurio.datasource.password": "",
        }
        return [str(stack.registry_java), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError",
                *(f"-D{name}={value}" for name, value in settings.items()),
                "-jar", str(stack.opt / "jars" / "registry" / "quarkus-run.jar")]

    def probe(self, stack: Stack) -> None:
        # It asks the database.
        probe.http(stack.port("schema-registry"), "/apis/ccompat/v7/subjects")
