#!/bin/sh
# Once, when the database is made: the role that owns the schema. It is no superuser; the migration makes the
# application's own role, which owns nothing.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$OWNER_PASSWORD" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE ROLE contrivance_owner LOGIN CREATEROLE PASSWORD :'password';
ALTER DATABASE contrivance OWNER TO contrivance_owner;
REVOKE ALL ON DATABASE contrivance FROM PUBLIC;
SQL
