#!/bin/sh
# setup.sh PURPOSE...: makes sure that the packages of packages.txt for these purposes are there.
# A machine that has them all is left alone, and no network is touched. What is missing is installed
# with apt-get, as root or through a sudo that asks for no password; otherwise the one command is
# printed, and the exit status is 1 when something needed is missing.
set -u
list=$(dirname "$0")/packages.txt

present() {
    case $1 in
    program:*) command -v "${1#program:}" >/dev/null 2>&1 ;;
    module:*) pkg-config --exists "${1#module:}" 2>/dev/null ;;
    file:*) [ -e "${1#file:}" ] ;;
    header:*) echo "#include <${1#header:}>" | cc -E - >/dev/null 2>&1 ;;
    dpkg:*) dpkg -s "${1#dpkg:}" 2>/dev/null | grep -q '^Status: .* installed$' ;;
    *) echo "setup: packages.txt: unknown probe $1" >&2; exit 2 ;;
    esac
}

# missing NEED PURPOSE...: the packages that are not there, on one line.
missing() {
    need=$1
    shift
    for wanted_purpose in "$@"; do
        while read -r purpose this_need probe package; do
            if [ "$purpose" = "$wanted_purpose" ] && [ "$this_need" = "$need" ] &&
                ! present "$probe"; then
                printf '%s ' "$package"
            fi
        done <"$list"
    done
}

needed=$(missing needed "$@")
wanted=$(missing wanted "$@")
[ -n "$needed$wanted" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    as_root=no
fi

install_packages() {
    # --no-install-recommends: npm alone would otherwise bring a compiler and an editor.
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@" </dev/null
}

if [ "$as_root" != no ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: installing $needed$wanted" >&2
    # An update that fails is no reason to stop: the lists that are there may do.
    $as_root apt-get update -q </dev/null >&2 || echo "setup: apt-get update failed; going on" >&2
    # Two calls, so that a wanted package that cannot be had does not keep the needed ones away.
    # shellcheck disable=SC2086  # the lists are words
    [ -z "$needed" ] || install_packages $needed >&2
    # shellcheck disable=SC2086
    [ -z "$wanted" ] || install_packages $wanted >&2
    needed=$(missing needed "$@")
    wanted=$(missing wanted "$@")
fi

if [ -n "$wanted" ]; then
    echo "setup: going on without: $wanted" >&2
    echo "setup: to have it: sudo apt-get install --no-install-recommends $wanted" >&2
fi
if [ -n "$needed" ]; then
    echo "setup: these packages are missing: $needed" >&2
    echo "setup: install them (Debian's names) and try again:" >&2
    echo "    sudo apt-get install --no-install-recommends $needed$wanted" >&2
    exit 1
fi
exit 0
