#!/bin/sh
# Run by the image when the volume is new: a database with an owner for the landing, and one for Airflow.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    -v streamflow_password="$DATABASE_PASSWORD" -v airflow_password="$AIRFLOW_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE streamflow LOGIN PASSWORD :'streamflow_password';
CREATE DATABASE streamflow OWNER streamflow;
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE DATABASE airflow OWNER airflow;
REVOKE CONNECT, TEMPORARY ON DATABASE streamflow, airflow FROM PUBLIC;
SQL
