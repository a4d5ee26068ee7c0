# Shared by the scripts in this folder, which source it: where things are, and who runs what.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root" || exit

# Variables given to make are in the environment too; make's own settings would reach the makes started here twice.
unset MAKEFLAGS MFLAGS MAKELEVEL

# The scripts parse messages of programs.
export LC_ALL=C.UTF-8

# Checkouts in different folders share compiled objects, where ccache is installed.
if [ -d /usr/lib/ccache ] && [ -w "${CCACHE_DIR:-${HOME:-}}" ]; then
    export PATH="/usr/lib/ccache:${PATH#/usr/lib/ccache:}" CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}" CCACHE_NOHASHDIR=1
fi

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# usable PG_CONFIG: has a server (15 or newer), its client programs and the files to build and test extensions.
usable() {
    local bin major
    bin=$("$1" --bindir 2>/dev/null) || return 1
    major=$("$1" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
    [ "$major" -ge 15 ] && [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] && [ -x "$bin/psql" ] &&
        [ -f "$("$1" --pgxs)" ] && [ -f "$("$1" --includedir-server)/postgres.h" ]
}

# Prints the pg_config to build with: the one asked for, else the one in PATH, else the newest of Debian's.
find_pg_config() {
    local candidate
    if [ -n "${PG_CONFIG:-}" ]; then
        usable "$PG_CONFIG" && printf '%s\n' "$PG_CONFIG"
        return
    fi
    for candidate in "$(command -v pg_config)" $(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -rV); do
        if [ -n "$candidate" ] && usable "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# Prints the clang-format to use: other versions format the same code differently.
find_clang_format() {
    local candidate
    for candidate in clang-format-14 clang-format; do
        if "$candidate" --version 2>/dev/null | grep -q 'version 14\.'; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

cpp_files() { find src test -type f \( -name '*.[ch]pp' -o -name '*.inc' \) -print0 | sort -z; }

# PostgreSQL refuses to run as root: then another user runs it.
if [ "$(id -u)" != 0 ]; then
    server_user=$(id -un)
elif id postgres >/dev/null 2>&1; then
    server_user=postgres
else
    server_user=nobody
fi

as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups -- "$@"
    else
        "$@"
    fi
}

# install_mf_ext FOLDER: installs what was built into a copy of PostgreSQL.
install_mf_ext() {
    case $1 in /*) set -- "$1" ;; *) set -- "$root/$1" ;; esac
    rm -f "$1$("$PG_CONFIG" --sharedir)"/extension/mf_ext*
    make --no-print-directory -s install PG_CONFIG="$PG_CONFIG" DESTDIR="$1" WERROR="${WERROR:-}" ${CXX:+CXX="$CXX"}
}

# make_run_folder: makes MF_RUN, a folder that the server's user can reach, with a path that fits into a socket address
# (107 bytes) and that needs no quoting in a configuration file: under build/ if possible.
make_run_folder() {
    local parent
    for parent in "$root/build" "${TMPDIR:-/tmp}" /tmp; do
        case $parent in *[!A-Za-z0-9/._+-]*) continue ;; esac
        [ ${#parent} -le 60 ] || continue
        MF_RUN=$(mktemp -d "$parent/mf_run.XXXXXX")
        if chown "$server_user" "$MF_RUN" && chmod 700 "$MF_RUN" && as_server_user test -w "$MF_RUN" 2>/dev/null; then return; fi
        rmdir "$MF_RUN"
    done
    die "user $server_user can write neither to build/ nor to /tmp"
}

# reachable_copy FOLDER: sets server to a copy of PostgreSQL's files, or to a copy of it under MF_RUN if the server's user
# cannot reach the first.
reachable_copy() {
    server=$1
    if ! as_server_user test -x "$server$("$PG_CONFIG" --bindir)/postgres" 2>/dev/null; then
        server=$MF_RUN/server
        cp -R "$1" "$server"
        chown -R "$server_user" "$server"
    fi
}

# use_server_only: exports MF_RUN, PG_CONFIG and PATH for the copy of PostgreSQL in $server. The caller's own settings must
# not lead elsewhere.
use_server_only() {
    local variable lib
    for variable in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do unset "$variable"; done
    export MF_RUN PG_CONFIG PATH="$server$("$PG_CONFIG" --bindir):$PATH"
    lib=$server$("$PG_CONFIG" --pkglibdir)
    [ ! -f "$lib/libpq.so.5" ] || export LD_LIBRARY_PATH="$lib"
}

# For packages only. Fails at once if a password would be needed.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# in_server "$@": runs the calling script again inside with-server, unless it already runs there.
in_server() {
    [ -n "${MF_RUN:-}" ] || exec "$root/scripts/with-server" "$root/scripts/${0##*/}" "$@"
}

# result NAME PASSED FAILED SKIPPED: prints the result, and records it for the summary of scripts/check.
result() {
    printf '%s: %d passed, %d failed, %d skipped\n' "$@"
    if [ -n "${MF_RESULTS:-}" ]; then printf '%s\t%d\t%d\t%d\n' "$@" >>"$MF_RESULTS"; fi
    [ "$3" -eq 0 ]
}
