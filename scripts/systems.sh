# Sourced by scripts that need whole systems of Debian, in folders: debootstrap makes them. That requires root, mount
# namespaces and the package mirror of this system.
# shellcheck shell=bash

# Runs a command in namespaces of its own. Mounts in them end with their last process, and their processes end with this
# one, however it ends: nothing is ever mounted where others see it, so a folder can be removed at any time.
isolated() { setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child=KILL -- "$@"; }

# inside SYSTEM COMMAND...: runs COMMAND as root of that system, in the copy of the checkout.
inside() {
    local system=$1
    shift
    # shellcheck disable=SC2016
    isolated bash -euc '
        system=$1 data=$2
        shift 2
        # A mount of its own, so that mount namespaces can be created inside.
        mount --bind "$system" "$system"
        mount -t proc proc "$system/proc"
        mount --rbind /sys "$system/sys"
        mount --rbind /dev "$system/dev"
        mount -t tmpfs -o mode=1777 shm "$system/dev/shm"
        if [ -n "$data" ]; then
            mkdir -p "$system/data"
            mount --bind "$data" "$system/data"
            mount -o remount,bind,ro "$system/data"
        fi
        [ ! -f /etc/resolv.conf ] || cat /etc/resolv.conf >"$system/etc/resolv.conf"
        exec chroot "$system" "$@"' bash "$system" "${MF_DATA_DIR:-}" \
        env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin CCACHE_DIR=/ccache \
        DEBIAN_FRONTEND=noninteractive WERROR=1 MF_RESULTS=/mf_ext/build/results.tsv \
        ${http_proxy:+http_proxy="$http_proxy"} ${MF_DATA_DIR:+MF_DATA_DIR=/data} \
        bash -c 'cd /mf_ext && "$@"' bash "$@" </dev/null
}

# The mirror that this system's own packages come from.
find_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null | head -n 1
}

# make_system NAME SUITE: makes a system of the suite under build/systems/NAME, or sets $why to the reason why it cannot.
make_system() {
    local system=$root/build/systems/$1 log=$root/build/log/debootstrap-$1.log
    why=
    [ ! -d "$system" ] || return 0
    if [ "$(id -u)" != 0 ]; then why="this asks for root"; return 1; fi
    if ! isolated mount -t tmpfs none /mnt 2>/dev/null; then why="no mounts are allowed here"; return 1; fi
    if ! scripts/setup servers; then why="debootstrap is not to be had"; return 1; fi
    local mirror
    mirror=$(find_mirror)
    if [ -z "$mirror" ]; then
        apt_get update >/dev/null 2>&1
        mirror=$(find_mirror)
    fi
    if [ -z "$mirror" ]; then why="no mirror of Debian is known here"; return 1; fi

    say "Making a system of $2 (once; build/log/debootstrap-$1.log)"
    rm -rf --one-file-system "$system.new"
    mkdir -p "$root/build/log" "${system%/*}"
    if ! isolated debootstrap --variant=minbase "$2" "$system.new" "$mirror" >"$log" 2>&1 </dev/null; then
        tail -n 3 "$log"
        rm -rf --one-file-system "$system.new"
        why="debootstrap failed"
        return 1
    fi
    # Packages must neither start services there nor create a database cluster.
    printf '#!/bin/sh\nexit 101\n' >"$system.new/usr/sbin/policy-rc.d"
    chmod 755 "$system.new/usr/sbin/policy-rc.d"
    mkdir -p "$system.new/etc/postgresql-common/createcluster.d"
    echo 'create_main_cluster = false' >"$system.new/etc/postgresql-common/createcluster.d/none.conf"
    # Settings for proxies and the like.
    apt-config dump Acquire >"$system.new/etc/apt/apt.conf.d/00host"
    mv "$system.new" "$system"
}

# Copies the checkout in its current state, without build results.
copy_checkout() {
    rm -rf --one-file-system "$1/mf_ext"
    mkdir -p "$1/mf_ext/build"
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard
    else
        find . \( -path ./build -o -name '*.o' -o -name '*.d' -o -name '*.so' \) -prune -o -type f -print0
    fi | while IFS= read -r -d '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done | tar -c --no-recursion --null -T - | tar -x --no-same-owner -C "$1/mf_ext"
}

# prepare_system SUITE: makes a system and copies the checkout to it, with what it needs to build and test; else sets $why.
prepare_system() {
    local system=$root/build/systems/$1 log=$root/build/log/setup-$1.log
    make_system "$1" "$1" || return 1
    copy_checkout "$system"
    mkdir -p "$root/build/log"
    # shellcheck disable=SC2016
    if ! inside "$system" bash -euc '
            command -v ccache || { apt-get -qq update; apt-get -qq install -y --no-install-recommends ccache; }
            scripts/setup check' >"$log" 2>&1; then
        tail -n 3 "$log"
        why="its packages could not be installed"
        return 1
    fi
}
