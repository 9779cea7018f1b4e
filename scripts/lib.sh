# lib.sh
#    What the scripts of scripts/ and test/ share.  Sourced, with TOP set to the repository.
#
# PostgreSQL refuses to run as root.  So as root every server runs as user postgres, and what it reads has to lie
# below folders that this user may enter; as anybody else it runs as the caller.
# shellcheck shell=sh

PG_CONFIG=${PG_CONFIG:-pg_config}

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# exec_as USER COMMAND... becomes the command, as that user (root only), in a folder that everybody may enter.
exec_as() {
    user=$1
    shift
    cd / && exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
}

as_user() {
    (exec_as "$@")
}

# exec_as_server COMMAND... becomes the command, as the user that owns the clusters; as_server waits for it.
exec_as_server() {
    if [ "$(id -u)" = 0 ]; then exec_as postgres "$@"; else exec "$@"; fi
}

as_server() {
    (exec_as_server "$@")
}

# own FOLDER... makes folders that belong to the user of the clusters.
own() {
    mkdir -p "$@"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$@"; fi
}

# is_reachable USER FOLDER: may this user enter the folder? (asked as root)
is_reachable() {
    # shellcheck disable=SC2016
    as_user "$1" sh -c 'cd "$1" 2>/dev/null' sh "$2"
}

# random_hex BYTES prints as many random bytes, in hexadecimal.
random_hex() {
    od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# short_id TEXT prints a short name that is always the same for the same text.
short_id() {
    printf '%s' "$1" | cksum | cut -d ' ' -f 1
}

# is_port_free ADDRESS PORT: could a server listen there?
is_port_free() {
    perl -MIO::Socket::INET -e \
        'exit(IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1], Listen => 1, ReuseAddr => 1) ? 0 : 1)' \
        "$1" "$2"
}

# free_port prints a port of 127.0.0.1 on which nobody listens now.
free_port() {
    perl -MIO::Socket::INET -e \
        'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1)->sockport, "\n"'
}

# socket_folder WANTED prints the folder for a server's socket: the wanted one, or where that is too long for a
# socket's path (107 bytes), a short one of our own.
socket_folder() {
    if [ "$(printf '%s/.s.PGSQL.65535' "$1" | wc -c)" -le 107 ]; then
        own "$1"
        say "$1"
        return
    fi
    short=/tmp/spooled-$(id -u)-$(short_id "$1")
    [ -d "$short" ] || own "$short"
    if [ -L "$short" ] || ! as_server test -O "$short"; then die "$short belongs to somebody else"; fi
    say "$short"
}

# build builds the extension and the gateway, and shows what the compiler said only if that failed.
build() {
    log=$1
    if ! make -C "$TOP" -j"$(nproc)" all >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        die "the build failed (all of it: $log)"
    fi
}

# stage_extension FOLDER installs the extension below the folder instead of into the system, and prints the server
# settings with which it is found there: Debian's own up to PostgreSQL 17, everybody's from 18 on.  A server that has
# neither gets it into the system after all.
stage_extension() {
    settings=$("$("$PG_CONFIG" --bindir)/postgres" --describe-config)
    case $settings in
        *extension_destdir*) printf "extension_destdir = '%s'\n" "$1" ;;
        *extension_control_path*) printf "extension_control_path = '%s%s:\$system'\n" "$1" "$("$PG_CONFIG" --sharedir)" ;;
        *) make -C "$TOP" -s -f extension/pgxs.mk PG_CONFIG="$PG_CONFIG" install >/dev/null
           return ;;
    esac
    make -C "$TOP" -s -f extension/pgxs.mk PG_CONFIG="$PG_CONFIG" DESTDIR="$1" install >/dev/null
    printf "dynamic_library_path = '%s%s:\$libdir'\n" "$1" "$("$PG_CONFIG" --pkglibdir)"
}
