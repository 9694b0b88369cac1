"""Users from the API to the topic in a loop, with requests and kafka-python, as the tutorials do it; but 1,000 users in a request, which
tutorials ask for one by one. With the argument `landing`, raw into PostgreSQL first."""

import json
import os
import sys

import psycopg2
import requests
from kafka import KafkaProducer
from psycopg2.extras import execute_values

PAGE = 1_000


def event(user):
    location = user["location"]
    return {"id": user["login"]["uuid"], "first_name": user["name"]["first"], "last_name": user["name"]["last"], "gender": user["gender"],
            "street_number": location["street"]["number"], "street_name": location["street"]["name"], "city": location["city"],
            "state": location["state"], "country": location["country"], "post_code": str(location["postcode"]), "email": user["email"],
            "username": user["login"]["username"], "dob": user["dob"]["date"], "registered_date": user["registered"]["date"],
            "phone": user["phone"], "picture": user["picture"]["medium"], "nationality": user["nat"]}


def main():
    users, landing = int(sys.argv[1]), "landing" in sys.argv[2:]
    producer = KafkaProducer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], acks="all", linger_ms=5, batch_size=1_000_000,
                             max_request_size=2_000_000,
                             value_serializer=lambda value: json.dumps(value).encode(), key_serializer=str.encode)
    web = requests.Session()
    database = psycopg2.connect(os.environ["DATABASE_URL"]) if landing else None
    if database:
        with database, database.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS python_landed (id uuid PRIMARY KEY, raw jsonb)")
    for page in range(1, users // PAGE + 1):
        answer = web.get(os.environ["STREAMFLOW_API_URL"], params={"results": PAGE, "page": page, "seed": sys.argv[-1]}, timeout=30)
        found = answer.json()["results"]
        if database:
            with database, database.cursor() as cursor:
                rows = [(user["login"]["uuid"], json.dumps(user)) for user in found]
                execute_values(cursor, "INSERT INTO python_landed VALUES %s ON CONFLICT DO NOTHING", rows, page_size=PAGE)
        for user in found:
            producer.send(os.environ["STREAMFLOW_TOPIC"], event(user), user["login"]["uuid"])
    producer.flush()
    producer.close()


main()
