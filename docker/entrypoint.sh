#!/usr/bin/env bash
# entrypoint.sh: the container's first process.
#
# With DATABASE_URL it is the gateway, for a database elsewhere that has the extension.  Without, it runs PostgreSQL with
# the extension and the gateway beside it, and ends when either of them does.  Data, keys and passwords are below
# SPOOLED_DATA_DIR, so the next container on the same volume finds them; an API key that it made is printed once.  The
# variables that the database decides are written to its settings at each start.
set -euo pipefail

gateway=${SPOOLED_GATEWAY:-spooled-gateway}
certificate=${GRPC_TLS_CERT_PATH:-/certs/grpc-cert.pem}
if [ -z "${GRPC_TLS_ENABLED:-}" ] && [ ! -e "$certificate" ]; then
    echo "gRPC is served without TLS: there is no $certificate (GRPC_TLS_ENABLED=true makes that an error)"
    export GRPC_TLS_ENABLED=false
fi
if [ -n "${DATABASE_URL:-}" ]; then
    exec "$gateway"
fi

umask 077
bin=/usr/lib/postgresql/15/bin
base=${SPOOLED_DATA_DIR:-/var/lib/spooled}
data=$base/data
port=${SPOOLED_PG_PORT:-5432}

die() {
    echo "error: $*" >&2
    exit 1
}

# shellcheck source=scripts/settings.sh
. "${SPOOLED_SETTINGS:-/usr/local/lib/spooled/settings.sh}"
random_hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# query SQL [DATABASE] runs as superuser and prints what comes back.  The SQL has passwords in it, so it goes through a pipe.
query() {
    printf '%s\n' "$1" | PGPASSWORD=$(cat "$base/postgres.password") "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$base" \
        -p "$port" -U postgres -d "${2:-spooled}" -f -
}

if [ ! -d "$data" ]; then
    echo "${POSTGRES_PASSWORD:-$(random_hex 16)}" >"$base/postgres.password"
    random_hex 16 >"$base/gateway.password"
    rm -rf "$data.new"
    "$bin/initdb" -D "$data.new" -U postgres -A scram-sha-256 --pwfile="$base/postgres.password" -E UTF8 \
        --locale=C.UTF-8 >/dev/null
    echo "shared_preload_libraries = 'spooled'" >>"$data.new/postgresql.conf"
    # Other containers come over the network, with the password.
    echo 'host all all all scram-sha-256' >>"$data.new/pg_hba.conf"
    mv "$data.new" "$data"
fi
grep -q "^include 'decided.conf'" "$data/postgresql.conf" || echo "include 'decided.conf'" >>"$data/postgresql.conf"
decided_settings "$base/decided" production >"$data/decided.conf"
RUST_ENV=$(remember "$base/decided" RUST_ENV production)
export RUST_ENV

"$bin/postgres" -D "$data" -k "$base" -p "$port" -h '*' &
postgres=$!
trap 'kill -INT "$postgres" 2>/dev/null; wait "$postgres" || true' EXIT
trap 'exit 0' TERM INT
until "$bin/pg_isready" -q -h "$base" -p "$port"; do
    kill -0 "$postgres" || exit 1
    sleep 0.1
done

[ "$(query "SELECT count(*) FROM pg_database WHERE datname = 'spooled'" postgres)" = 1 ] ||
    query 'CREATE DATABASE spooled' postgres
query "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS spooled"
[ "$(query "SELECT count(*) FROM pg_roles WHERE rolname = 'gateway'")" = 1 ] || query 'CREATE ROLE gateway LOGIN'
# Its parameters are API keys, which must never reach the server's log.
query "SET client_min_messages = warning;
       ALTER ROLE gateway PASSWORD '$(cat "$base/gateway.password")';
       GRANT spooled_gateway TO gateway;
       ALTER ROLE gateway SET log_parameter_max_length = 0;
       ALTER ROLE gateway SET log_parameter_max_length_on_error = 0"
plans=$(plan_statements)
[ -z "$plans" ] || query "$plans"
if [ ! -s "$base/api.key" ]; then
    key=$(query "SELECT spooled.create_api_key('container')")
    echo "$key" >"$base/api.key"
    echo "API key: $key"
fi

DATABASE_URL="postgresql://gateway:$(cat "$base/gateway.password")@/spooled?host=$base&port=$port" "$gateway" &
gateway_pid=$!
# The gateway first, so that it can finish what it took.
trap 'kill -TERM "$gateway_pid" 2>/dev/null; wait "$gateway_pid" || true
      kill -INT "$postgres" 2>/dev/null; wait "$postgres" || true' EXIT
wait -n "$gateway_pid" "$postgres"
