"""What both PySpark jobs share: the session, the schema of a user on the topic, and its columns. All of it in Spark's own functions, which
are quicker than functions in Python."""

import os

from pyspark.sql import SparkSession
from pyspark.sql.functions import coalesce, col, concat, concat_ws, from_json, lit, lower, to_timestamp, trim, upper
from pyspark.sql.types import LongType, StringType, StructField, StructType

TEXTS = ["id", "first_name", "last_name", "gender", "street_name", "city", "state", "country", "post_code", "email", "username", "dob",
         "registered_date", "phone", "picture", "nationality"]
SCHEMA = StructType([*(StructField(name, StringType()) for name in TEXTS), StructField("street_number", LongType())])


def session(name):
    host, port = os.environ["CASSANDRA_CONTACT_POINTS"].split(":")
    spark = (SparkSession.builder.appName(name).master("local[2]")
             .config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC")
             .config("spark.cassandra.connection.host", host)
             .config("spark.cassandra.connection.port", port)
             .getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def kafka(reader):
    return (reader.format("kafka")
            .option("kafka.bootstrap.servers", os.environ["KAFKA_BOOTSTRAP_SERVERS"])
            .option("subscribe", os.environ["STREAMFLOW_TOPIC"])
            .option("startingOffsets", "earliest"))


def parsed(records):
    return records.select(from_json(col("value").cast("string"), SCHEMA).alias("user")).select("user.*")


def cleaned(users):
    street = trim(concat(coalesce(col("street_number").cast("string"), lit("")), lit(" "), coalesce(col("street_name"), lit(""))))
    return users.filter("id IS NOT NULL AND first_name IS NOT NULL AND last_name IS NOT NULL").select(
        "id", trim("first_name").alias("first_name"), trim("last_name").alias("last_name"), lower("gender").alias("gender"),
        concat_ws(", ", street, trim("city"), trim("state"), trim("country")).alias("address"), trim("post_code").alias("post_code"),
        lower("email").alias("email"), "username", to_timestamp("dob").alias("dob"),
        to_timestamp("registered_date").alias("registered_date"), "phone", "picture", upper("nationality").alias("nationality"), "country")
