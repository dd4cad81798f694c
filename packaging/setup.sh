# Shared by ./install and ./test (POSIX sh, sourced): system packages and the virtual environment.
# Everything here may run any number of times.

here=$(cd "$(dirname "$0")" && pwd -P)
venv=$here/.venv
setup_log=$here/.cache/setup.log
mkdir -p "$here/.cache"

say() { printf '%s\n' "$*"; }

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command quietly; on failure shows the end of what it said, then the reason given first.
quietly() {
    reason=$1
    shift
    if ! "$@" >"$setup_log" 2>&1; then
        tail -n 15 "$setup_log" >&2
        fail "$reason (all of it: $setup_log)"
    fi
}

need_root() {
    [ "$(id -u)" = 0 ] || fail "must be run as root: $1"
}

have_package() {
    case $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) in
        *' installed') return 0 ;;
        *) return 1 ;;
    esac
}

have_runtime() { command -v crun >/dev/null || command -v runc >/dev/null; }

# Installs those of the named Debian packages that are missing.
need_packages() {
    missing=
    for package in "$@"; do
        have_package "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    quietly "apt-get update failed: is there a network, and are the package sources right?" \
        apt-get -q update
    # shellcheck disable=SC2086  # a list of words
    quietly "apt-get could not install$missing" \
        apt-get -q -y --no-install-recommends install $missing
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Sets $python. The system's own comes first: version managers put slow shims before it.
find_python() {
    for python in /usr/bin/python3 /usr/local/bin/python3 $(command -v python3 || true); do
        new_enough "$python" && return 0
    done
    fail "Python 3.11 or later is needed; $(python3 --version 2>&1 || echo 'there is none') here"
}

# What the environment was made from: it is made again when this changes.
venv_made_from() { printf '%s\n%s\n' "$here" "$("$python" --version)" | cat - "$here/pyproject.toml" | cksum; }

need_venv() {
    find_python
    [ "$(cat "$venv/made-from" 2>/dev/null)" = "$(venv_made_from)" ] && "$venv/bin/python" -c '' && return 0
    say "making the virtual environment .venv"
    # Scripts in an environment hold its path: one that was moved or copied must be made anew.
    grep -qs "^command = .* $venv\$" "$venv/pyvenv.cfg" || rm -rf "$venv"
    quietly "python3 -m venv failed" "$python" -m venv "$venv"
    quietly "pip could not install the engine: is the package index reachable?" \
        "$venv/bin/python" -m pip install --disable-pip-version-check -e "$here"
    "$venv/bin/python" -m compileall -q "$here/src"
    fast_launcher
    venv_made_from >"$venv/made-from"
}

# Replaces pip's console script of the command line, which starts twice as slowly: it goes through the
# environment's interpreter and through site. The command line needs the standard library and its own source.
fast_launcher() {
    cat >"$venv/bin/lading" <<EOF
#!$(readlink -f "$python") -IS
import sys

sys.path.append("$here/src")

from lading.cli import main

sys.exit(main())
EOF
}

# Takes the file $1 out of one of the named Debian packages into .cache/<its name>, without installing anything
# that comes with it (a daemon on a port of its own, say). $apt is apt-get with options.
take_file() {
    file=$1
    shift
    name=${file##*/}
    place=$here/.cache/$name
    say "fetching $name"
    mkdir -p "$place"
    quietly "apt-get update failed" $apt -q update
    for package in "$@"; do
        (cd "$place" && $apt -q download "$package") >"$setup_log" 2>&1 || continue
        for archive in "$place/$package"_*.deb; do
            dpkg-deb --fsys-tarfile "$archive" | tar -xO ".$file" >"$place/part" 2>/dev/null
            rm -f "$archive"
            [ -s "$place/part" ] || continue
            chmod +x "$place/part"
            mv "$place/part" "$place/$name"
            return 0
        done
    done
    return 1
}

# Makes sure that a program is there, and puts it on the path.
need_program() {
    command -v "$1" >/dev/null && return 0
    program=$1
    shift
    apt=apt-get
    [ -x "$here/.cache/$program/$program" ] || take_file "/usr/bin/$program" "$@" ||
        fail "no package here has $program ($*)"
    PATH=$PATH:$here/.cache/$program
}

# Takes docker's plugin for compose into .cache, from this release or, as Debian 12 has none, from the next.
# Without it some tests are skipped.
want_compose() {
    plugin=/usr/libexec/docker/cli-plugins/docker-compose
    place=$here/.cache/docker-compose
    [ -x $plugin ] || [ -x "$place/docker-compose" ] && return 0
    apt=apt-get
    take_file $plugin docker-compose docker-compose-v2 && return 0
    mkdir -p "$place/lists/partial"
    echo "deb http://deb.debian.org/debian trixie main" >"$place/trixie.list"
    apt="apt-get -o Dir::Etc::SourceList=$place/trixie.list -o Dir::Etc::SourceParts=/dev/null"
    apt="$apt -o Dir::State::Lists=$place/lists"
    take_file $plugin docker-compose || say "no package here has docker compose; its tests will be skipped"
}
