# suite.sh
#    What the suites test/run-* share: a scratch folder, counting, servers of their own.
#
# A suite sources this with TOP set, calls suite_begin, then "pass" or "fail" for each test, and suite_end, which prints
# "N passed, N failed".  scripts/check hands CHECK_DIR to all of them; a suite that is run by hand makes its own.
# shellcheck shell=sh

. "$TOP/scripts/lib.sh"

PASSED=0
FAILED=0
RUNNING_DATA=
GATEWAY_PID=
FINISHED=
OWN_CHECK_DIR=

# suite_begin NAME
suite_begin() {
    umask 022
    SUITE=$1
    command -v "$PG_CONFIG" >/dev/null || die "$PG_CONFIG is not there; scripts/install-packages check says what is missing"
    PG_BIN=$("$PG_CONFIG" --bindir)
    PGXS_DIR=$(cd "$(dirname "$("$PG_CONFIG" --pgxs)")/.." && pwd)
    PATH=$PG_BIN:$PATH
    if [ -z "${CHECK_DIR:-}" ]; then
        CHECK_DIR=$(mktemp -d /tmp/spooled-check.XXXXXX)
        OWN_CHECK_DIR=$CHECK_DIR
        chmod 755 "$CHECK_DIR"
        export CHECK_DIR
    fi
    WORK=$CHECK_DIR/$SUITE
    own "$WORK"
    JWT_SECRET=$(random_hex 32)
    ADMIN_API_KEY=$(random_hex 24)
    export JWT_SECRET ADMIN_API_KEY
    trap suite_cleanup EXIT
    trap 'exit 130' INT TERM
}

pass() {
    PASSED=$((PASSED + 1))
    say "ok $SUITE $1"
}

# fail NAME [FILE] counts a failed test and shows the end of the file that tells why.
fail() {
    FAILED=$((FAILED + 1))
    say "not ok $SUITE $1"
    if [ -n "${2:-}" ] && [ -s "$2" ]; then
        tail -n "${SHOW_LINES:-60}" "$2" | sed 's/^/    /'
    fi
}

# check NAME COMMAND... is a test that passes when the command does; what it prints is shown only when it fails.
check() {
    name=$1
    shift
    if "$@" >"$WORK/check.log" 2>&1; then pass "$name"; else fail "$name" "$WORK/check.log"; fi
}

# count_tap NAME FILE STATUS counts the tests of a TAP stream; a wrong plan or a bad exit status is a failed test.
count_tap() {
    counts=$(awk '
        /^ok /      { passed++ }
        /^not ok /  { if ($0 ~ /# *TODO/) passed++; else failed++ }
        /^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; has_plan = 1; skipped_all = /# *[Ss][Kk][Ii][Pp]/ }
        END {
            if ((!has_plan && passed + failed == 0) || (has_plan && !skipped_all && planned != passed + failed)) failed++
            print passed + 0, failed + 0
        }' "$2")
    tap_passed=${counts% *}
    tap_failed=${counts#* }
    if [ "$3" != 0 ] && [ "$tap_failed" = 0 ]; then tap_failed=1; fi
    PASSED=$((PASSED + tap_passed))
    FAILED=$((FAILED + tap_failed))
    if [ "$tap_failed" = 0 ]; then
        say "ok $SUITE $1 ($tap_passed)"
    else
        say "not ok $SUITE $1 ($tap_failed of $((tap_passed + tap_failed)), exit status $3)"
        {
            awk '/^ok / { show = 0 } /^not ok / { show = 20 } show-- > 0' "$2" # however much was said after it
            say ...
            grep -v '^ok ' "$2" | tail -n "${SHOW_LINES:-60}"
        } | sed 's/^/    /'
    fi
}

# count_run FILE STATUS takes over the counts of a runner that ends with "N passed, N failed" itself.
count_run() {
    cat "$1"
    run_counts=$(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*/\1 \2/p' "$1" | tail -n 1)
    run_counts=${run_counts:-0 0}
    PASSED=$((PASSED + ${run_counts% *}))
    FAILED=$((FAILED + ${run_counts#* }))
    if [ "$2" != 0 ] && [ "${run_counts#* }" = 0 ]; then fail "the runner ended with status $2"; fi
}

# suite_end prints the suite's last line and ends it.
suite_end() {
    if [ -n "$RUNNING_DATA" ] && as_server grep -E 'PANIC:|TRAP:|terminated by signal' "$RUNNING_DATA/server.log" >"$WORK/crash.log"
    then
        fail 'the server did not crash' "$WORK/crash.log"
    fi
    FINISHED=1
    say "$PASSED passed, $FAILED failed"
    [ "$FAILED" = 0 ]
}

suite_cleanup() {
    status=$?
    stop_gateway
    cluster_stop
    if [ -z "$FINISHED" ]; then
        say "not ok $SUITE ended early, with status $status"
        say "$PASSED passed, $((FAILED + 1)) failed"
        exit 1
    fi
    if [ "$status" = 0 ] && [ -n "$OWN_CHECK_DIR" ]; then rm -rf "$OWN_CHECK_DIR"; fi
    exit $status
}

# need_build builds everything once, and stages the extension for the servers of the tests.
need_build() {
    [ -s "$CHECK_DIR/extension.conf" ] || {
        build "$CHECK_DIR/build.log"
        stage_extension "$CHECK_DIR/ext" >"$CHECK_DIR/extension.conf.new"
        mv "$CHECK_DIR/extension.conf.new" "$CHECK_DIR/extension.conf"
    }
}

# server_secrets prints settings with the secrets that tests know: JWT_SECRET and ADMIN_API_KEY.
server_secrets() {
    say "spooled.jwt_secret = '$JWT_SECRET'"
    say "spooled.admin_key_hash = '$(printf '%s' "$ADMIN_API_KEY" | sha256sum | cut -c 1-64)'"
}

# cluster_start NAME [SETTING...] makes and starts a server with the extension preloaded; psql and friends find it by
# the environment.  It listens on a socket in a folder that only its owner may enter, and asks nobody for a password.
cluster_start() {
    need_build
    PGHOST=$WORK/$1
    RUNNING_DATA=$PGHOST/data
    shift
    own "$PGHOST"
    chmod 700 "$PGHOST"
    as_server initdb -D "$RUNNING_DATA" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$WORK/initdb.log" 2>&1 ||
        die "initdb failed: $(tail -n 5 "$WORK/initdb.log")"
    {
        cat "$CHECK_DIR/extension.conf"
        say "shared_preload_libraries = 'spooled'"
        server_secrets
        say "spooled.environment = 'development'"
        say 'fsync = off'
        say 'max_worker_processes = 32'
        say 'max_prepared_transactions = 10'
        for setting in "$@"; do say "$setting"; done
    } | as_server tee -a "$RUNNING_DATA/postgresql.conf" >/dev/null
    as_server pg_ctl start -s -w -D "$RUNNING_DATA" -l "$RUNNING_DATA/server.log" \
        -o "-h '' -p 5432 -k '$PGHOST'" || {
        as_server tail -n 20 "$RUNNING_DATA/server.log"
        die 'the scratch server did not start'
    }
    PGPORT=5432
    PGUSER=postgres
    PGDATABASE=postgres
    export PGHOST PGPORT PGUSER PGDATABASE
}

cluster_stop() {
    if [ -n "$RUNNING_DATA" ] && as_server test -f "$RUNNING_DATA/postmaster.pid"; then
        as_server pg_ctl stop -s -w -m immediate -D "$RUNNING_DATA" || true
    fi
}

# fresh_database NAME makes an empty database with the extension, and makes it the one that psql connects to.
fresh_database() {
    PGDATABASE=postgres psql -XqAt -v ON_ERROR_STOP=1 -c "CREATE DATABASE $1"
    PGDATABASE=$1
    export PGDATABASE
    psql -XqAt -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION spooled'
}

# drop_database NAME; a test that left a session behind has ended by now, so it may be thrown out
drop_database() {
    PGDATABASE=postgres psql -XqAt -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" 2>&1 || true
}

# compare_outputs TOOL FOLDER EXTENSION [--running] [FILE...] runs one of PostgreSQL's regression drivers on each file of
# the folder, or on those given, and shows the difference to the expected output where there is one.  With --running on
# the server that psql finds, else on one of its own.
compare_outputs() {
    tool=$PGXS_DIR/test/$1
    folder=$2
    extension=$3
    shift 3
    server=own
    if [ "${1:-}" = --running ]; then
        server=running
        shift
    fi
    [ $# -gt 0 ] || set -- "$folder"/*"$extension"
    [ -e "$1" ] || return 0
    [ $server = running ] || cluster_start cluster
    mkdir -p "$WORK/out"
    ln -sfn "$TOP/expected" "$WORK/out/expected"
    for file in "$@"; do
        test=$(basename "$file" "$extension")
        if "$tool" --bindir="$PG_BIN" --inputdir="$TOP/test" --outputdir="$WORK/out" --dbname="${SUITE}_$test" \
            --load-extension=spooled "$test" >"$WORK/$test.log" 2>&1; then
            pass "$test"
        else
            cat "$WORK/out/regression.diffs" >>"$WORK/$test.log" 2>/dev/null || true
            fail "$test" "$WORK/$test.log"
        fi
        drop_database "${SUITE}_$test"
    done
}

# gateway_start PROGRAM [NAME=VALUE...] starts a gateway on a free port, on the database of psql, and waits until it
# answers.  SPOOLED_URL and SPOOLED_GRPC say where.
gateway_start() {
    program=$1
    shift
    port=$(free_port)
    SPOOLED_URL=http://127.0.0.1:$port
    grpc_port=$(free_port)
    SPOOLED_GRPC=127.0.0.1:$grpc_port
    export SPOOLED_URL SPOOLED_GRPC
    # In a subshell that becomes the gateway, so that the process we stop is the gateway itself.
    (exec_as_server env HOST=127.0.0.1 PORT="$port" GRPC_PORT="$grpc_port" METRICS_PORT="$(free_port)" \
        DATABASE_URL="$DATABASE_URL" "$@" "$program") >>"$WORK/gateway.log" 2>&1 </dev/null &
    GATEWAY_PID=$!
    turns=0
    until curl -sf -o /dev/null --max-time 2 "$SPOOLED_URL/health"; do
        turns=$((turns + 1))
        if [ $turns -gt 150 ] || ! kill -0 "$GATEWAY_PID" 2>/dev/null; then
            tail -n 20 "$WORK/gateway.log"
            die 'the gateway did not start'
        fi
        sleep 0.1
    done
}

# stop_gateway ends it as an operator would; what a sanitizer found while it ran is then in its log.
stop_gateway() {
    if [ -n "$GATEWAY_PID" ]; then
        kill -TERM "$GATEWAY_PID" 2>/dev/null || true
        wait "$GATEWAY_PID" 2>/dev/null || true
        GATEWAY_PID=
    fi
}
