# private.sh
#    The private cluster and gateway of "make up": where they are and whether they run.  Sourced after lib.sh.
# shellcheck shell=sh

RUN_DIR=${SPOOLED_RUN_DIR:-$TOP/.run}
case $RUN_DIR in
    /*) ;;
    *) RUN_DIR=$TOP/$RUN_DIR ;;
esac
BASE_DIR=
SOCKET_DIR=

find_postgres() {
    command -v "$PG_CONFIG" >/dev/null || die "$PG_CONFIG is not there; scripts/install-packages says what is missing"
    PG_BIN=$("$PG_CONFIG" --bindir)
}

# read_state learns where the last "up" put things and which ports it used.
read_state() {
    if [ -f "$RUN_DIR/state" ]; then
        # shellcheck source=/dev/null
        . "$RUN_DIR/state"
        find_postgres
    fi
}

write_state() {
    cat >"$RUN_DIR/state" <<STATE
# Written by "make up": where things are, and the ports of the last time.
BASE_DIR='$BASE_DIR'
SOCKET_DIR='$SOCKET_DIR'
LAST_HOST='$SPOOLED_HOST'
LAST_PORT='$SPOOLED_PORT'
LAST_METRICS_PORT='$SPOOLED_METRICS_PORT'
LAST_GRPC_PORT='$SPOOLED_GRPC_PORT'
LAST_PG_PORT='$SPOOLED_PG_PORT'
STATE
}

is_cluster_running() {
    [ -n "$BASE_DIR" ] && [ -d "$BASE_DIR/data" ] && as_server "$PG_BIN/pg_ctl" status -D "$BASE_DIR/data" >/dev/null 2>&1
}

# is_gateway_running looks at the program behind the process id too: after a restart of the machine it is another's.
is_gateway_running() {
    [ -n "$BASE_DIR" ] && [ -s "$RUN_DIR/gateway.pid" ] || return 1
    program=$(readlink "/proc/$(cat "$RUN_DIR/gateway.pid")/exe" 2>/dev/null) || return 1
    [ "${program% (deleted)}" = "$BASE_DIR/bin/spooled-gateway" ]
}
