# Sourced by tools/quickstart and tools/test: what a bare Debian 12 needs before Python can take over.
# shellcheck shell=bash

BEGAN=$EPOCHREALTIME
LOG=${LOG:?}
mkdir -p "$(dirname "$LOG")"
: >"$LOG"

# seconds SINCE: tenths of seconds since a moment of EPOCHREALTIME.
seconds() {
    local tenths=$(((${EPOCHREALTIME//[.,]/} - ${1//[.,]/}) / 100000))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# step NAME COMMAND...: run a command quietly; its output goes to the log, shown if it fails.
step() {
    local name=$1 began=$EPOCHREALTIME status=0
    shift
    printf '== %s\n' "$name" >>"$LOG"
    # A subshell of its own, so that errexit holds inside functions too.
    set +e
    (set -e; "$@") >>"$LOG" 2>&1
    status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        printf '%8s s  %s FAILED; the end of %s:\n' "$(seconds "$BEGAN")" "$name" "$LOG" >&2
        tail -n 25 "$LOG" >&2
        exit 1
    fi
    printf '%8s s  %s (%s s) ok\n' "$(seconds "$BEGAN")" "$name" "$(seconds "$began")"
}

# missing_packages GROUP...: packages of these groups that dpkg does not know as installed. Programs
# that are only tested with may come from elsewhere: another repository's Node.js refuses Debian's npm.
missing_packages() {
    local group package proof
    while read -r group package proof _; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        [ "$group" != test ] || ! command -v "$proof" >/dev/null || continue
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done < <(grep -v '^#' tools/debian-packages.txt)
}

# debian_packages GROUP...: install what is missing of these groups.
debian_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "These Debian packages are missing, and installing them needs root: ${missing[*]}"
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install -y --no-install-recommends "${missing[@]}"
}

# find_python: a Python of 3.11 or newer that can make virtual environments.
find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 /usr/bin/python3; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)' 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
    echo "Python 3.11 or newer with venv is needed; Debian 12 has it: apt-get install python3-venv" >&2
    return 1
}

# python_environment EXTRAS: have .venv with this checkout and the extras, as pyproject.toml says now.
python_environment() {
    local stamp=.venv/.installed-$1 wanted python
    wanted=$(sha256sum pyproject.toml)
    [ ! -x .venv/bin/pileus ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        python=$(find_python)
        "$python" -m venv --clear .venv
    fi
    .venv/bin/python -m pip install --disable-pip-version-check -e ".[$1]"
    printf '%s\n' "$wanted" >"$stamp"
}
