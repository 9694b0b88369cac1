"""Users by gender, in one batch: a single one of the five dimensions that `aggregate` counts."""

from spark_users import kafka, parsed, session

spark = session("count")
for row in parsed(kafka(spark.read).load()).groupBy("gender").count().collect():
    print(row["gender"], row["count"])
