#!/bin/sh
# Run once by the PostgreSQL image when its volume is empty: a role and a database for each service that keeps data.
set -eu
for service in ingest metrics gateway; do
  psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 --set service="$service" --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
SQL
done
