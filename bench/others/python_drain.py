"""The topic into created_users with confluent-kafka and cassandra-driver, 128 inserts at once. Ends at the end of the topic, and commits then."""

import json
import os
import uuid
from datetime import datetime

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy
from confluent_kafka import Consumer, KafkaError

CHUNK = 2_000
COLUMNS = ("id, first_name, last_name, gender, address, post_code, email, username, dob, registered_date, phone, picture, nationality, country")


def time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def row(user):
    user = {name: (value.strip() or None) if isinstance(value, str) else value for name, value in user.items()}
    street = " ".join(str(part) for part in (user["street_number"], user["street_name"]) if part is not None)
    address = ", ".join(part for part in (street, user["city"], user["state"], user["country"]) if part)
    return (uuid.UUID(user["id"]), user["first_name"], user["last_name"], user["gender"].lower(), address, user["post_code"],
            user["email"].lower(), user["username"], time(user["dob"]), time(user["registered_date"]), user["phone"], user["picture"],
            user["nationality"], user["country"])


def main():
    host, port = os.environ["CASSANDRA_CONTACT_POINTS"].split(":")
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=60)
    cluster = Cluster([host], port=int(port), execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    session = cluster.connect(os.environ["CASSANDRA_KEYSPACE"])
    insert = session.prepare(f"INSERT INTO created_users ({COLUMNS}) VALUES ({', '.join('?' * 14)})")
    consumer = Consumer({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"], "group.id": f"python-{uuid.uuid4()}",
                         "auto.offset.reset": "earliest", "enable.auto.commit": False, "enable.partition.eof": True})
    topic = os.environ["STREAMFLOW_TOPIC"]
    partitions = len(consumer.list_topics(topic, 10).topics[topic].partitions)
    consumer.subscribe([topic])
    ended = set()
    while len(ended) < partitions:
        rows = []
        for message in consumer.consume(CHUNK, 0.5):
            if not message.error():
                rows.append(row(json.loads(message.value())))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                raise RuntimeError(message.error())
        if rows:
            execute_concurrent_with_args(session, insert, rows, concurrency=128, raise_on_first_error=True)
    consumer.commit(asynchronous=False)
    consumer.close()
    cluster.shutdown()


main()
