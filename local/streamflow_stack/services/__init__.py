"""The servers of the stack, in the order in which they depend on each other."""

from .airflow import SERVICES as AIRFLOW
from .api import Api
from .cassandra import Cassandra
from .control_center import ControlCenter
from .kafka import Kafka
from .postgres import Postgres
from .schema_registry import SchemaRegistry
from .service import Service
from .spark import SERVICES as SPARK
from .zookeeper import SERVICES as ZOOKEEPER

ALL: tuple[Service, ...] = (Postgres(), Kafka(), Cassandra(), SchemaRegistry(), Api(), ControlCenter(), *AIRFLOW, *SPARK, *ZOOKEEPER)
NAMES = tuple(service.name for service in ALL)


def by_name(name: str) -> Service:
    return ALL[NAMES.index(name)]
