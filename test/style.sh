#!/bin/sh
# style.sh: this repository's own rules, as TAP.  Each rule lists the lines that break it.
#
# The rooms and their arrows are those of ARCHITECTURE.md.
set -eu
cd "$(dirname "$0")/.."

# rule NAME: a rule holds when nothing came in on stdin.
rule() {
    found=$(cat)
    if [ -z "$found" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        echo "$found" | sed 's/^/# /'
    fi
}

# c_files FOLDER...: the C files there, without what a build made.
c_files() {
    for folder in "$@"; do
        [ ! -d "$folder" ] || find "$folder" -name build -prune -o -name '*.[ch]' -print
    done
}

# search REGEX: reads file names, prints the lines that match.
search() {
    xargs -r grep -nE "$1" /dev/null || true
}

# strays HEADER ROOM: includes of a library's header outside the one room that may know it.
strays() {
    c_files gateway | grep -v "^gateway/$2/" | search "#include *<$1>"
}

sql='"[[:space:]]*(SELECT|INSERT INTO|DELETE FROM|UPDATE [a-z_.]+ SET|TRUNCATE|LOCK TABLE|CALL|WITH [a-z_]+ AS)[[:space:]"]'
c_files extension gateway | grep -vE '^extension/store/|^gateway/op/op_table(_[a-z_]+\.c|\.h)$' | search "$sql" |
    rule 'SQL text stands in extension/store and gateway/op/op_table*.[ch] only'

c_files extension | grep -v '^extension/store/spi_plan\.' | search '\bSPI_[a-z_]+ ?\(' |
    rule 'SPI is called in extension/store/spi_plan only'

access='\b(table_(open|close|tuple_[a-z_]+|beginscan[a-z_]*|endscan|scan_[a-z_]+|index_[a-z_]+|slot_[a-z_]+|multi_insert)'
access="$access|heap_(insert|update|delete|multi_insert|fetch|lock_tuple)|index_(open|close|insert|beginscan|rescan|getnext[a-z_]*|endscan)) ?\\("
c_files extension | grep -vE '^extension/(store/|base/compat\.h)' | search "$access" |
    rule 'tables are touched in extension/store only'

sizes='\b(SET_)?VAR(SIZE|DATA|ATT)_?[A-Z_0-9]* ?\('
c_files extension | xargs grep -LF '"base/compat.h"' | grep -v '^extension/base/compat\.h$' | search "$sizes" |
    rule 'who uses the macros of varlena values includes base/compat.h: newer servers have them elsewhere'

c_files extension | grep -v '^extension/base/compat\.h$' | search 'PG_VERSION_NUM' |
    rule 'only base/compat.h asks for the version of PostgreSQL'

# A room and what it may include, besides itself.  A file beside the rooms (spooled.c, main.c) may include any.
arrows() {
    while read -r room allowed; do
        allowed=$(echo "${room#*/} $allowed" | sed 's/ *$//; s/ /|/g; s/\./\\./g')
        c_files "$room" | search '^#include "(base|rules|shmem|store|ops|json|api|bgw|loop|db|op|auth|stream|http|grpc|outbound)/' | grep -vE ":#include \"($allowed)(/|\")" || true
    done
}
arrows <<'ROOMS' | rule 'includes follow the arrows between rooms'
extension/base
extension/rules base/codes.h base/ticket_kind.h base/fan_in_kind.h
extension/shmem base
extension/store rules/json_text.h rules/permissions.h shmem base
extension/ops rules shmem store base
extension/json ops base
extension/api json ops rules base
extension/bgw ops shmem base
gateway/base
gateway/loop base
gateway/db loop base
gateway/op db loop base
gateway/auth base
gateway/stream loop base
gateway/http op auth stream loop base
gateway/grpc op auth stream loop base
gateway/outbound op loop base
ROOMS

{
    strays microhttpd.h http
    strays libpq-fe.h db
    strays jansson.h op
    strays curl/curl.h outbound
    strays 'grpc/.*' grpc
} | rule 'a library is known to one room of the gateway'

for file in test/sql/*.sql test/specs/*.spec; do
    name=$(basename "${file%.*}")
    if [ -e "$file" ] && [ ! -e "expected/$name.out" ]; then echo "$file has no expected/$name.out"; fi
done | rule 'every SQL test and spec has its expected output'

for file in expected/*.out; do
    name=$(basename "$file" .out)
    [ -e "$file" ] || continue
    name=${name%_[0-9]}     # another accepted output of the same test
    if [ ! -e "test/sql/$name.sql" ] && [ ! -e "test/specs/$name.spec" ]; then echo "$file belongs to no test"; fi
done | rule 'every expected output has its test'

c_files extension gateway test/unit | search '\b(TODO|FIXME|XXX)\b' | rule 'nothing is left to do in the sources'

if [ -f spooled.so ]; then
    nm -D --defined-only spooled.so | awk '$2 ~ /[TDB]/ { print $3 }' |
        grep -vE '^(spl_|spooled_|pg_finfo_spooled_|_PG_init$|Pg_magic_func$)' || true
fi | rule 'exported names carry the prefix spl_ or spooled_'

c_files extension | grep -v '^extension/api/function\.h$' | search 'PG_FUNCTION_INFO_V1' |
    rule 'an SQL function says what permission it needs: SPL_FUNCTION of api/function.h'
