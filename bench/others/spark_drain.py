"""The topic into created_users by Spark Structured Streaming and the Cassandra connector, as the tutorials do it. With the argument
`follow`, as a service with Spark's default trigger."""

import os
import sys
import tempfile

from spark_users import cleaned, kafka, parsed, session

spark = session("drain")
with tempfile.TemporaryDirectory() as checkpoint:
    writer = (cleaned(parsed(kafka(spark.readStream).load())).writeStream
              .format("org.apache.spark.sql.cassandra")
              .option("checkpointLocation", checkpoint)
              .option("keyspace", os.environ["CASSANDRA_KEYSPACE"])
              .option("table", "created_users"))
    if "follow" not in sys.argv[1:]:
        writer = writer.trigger(availableNow=True)
    writer.start().awaitTermination()
