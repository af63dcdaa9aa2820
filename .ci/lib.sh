# shellcheck shell=bash
# Shared by the scripts beside this file; sourced, not run.
#
# Runs steps and tells about them (`step`), and knows where things are kept. Every folder can be set from outside, by the
# Makefile's variables of the same names.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE_DIR=${CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/parterre}
TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
# Another compiler may make the WebAssembly, and cargo would throw away the one's work for the other's in one folder.
if [ -n "${CARGO_TARGET_DIR:-}" ]; then
    WASM_TARGET_DIR=${WASM_TARGET_DIR:-$CARGO_TARGET_DIR-wasm}
else
    WASM_TARGET_DIR=${WASM_TARGET_DIR:-$ROOT/target/wasm}
fi
TOOLS_DIR=$CACHE_DIR/tools
LOG_DIR=${LOG_DIR:-$TARGET_DIR/logs}
PATH=$TOOLS_DIR/bin:$PATH
# Set while the web viewer is built behind the running service: the terminal belongs to the service then.
BEHIND_SERVICE=${BEHIND_SERVICE-}
export CACHE_DIR TARGET_DIR WASM_TARGET_DIR TOOLS_DIR LOG_DIR PATH BEHIND_SERVICE

# say WORDS…: one line about what happens now, on standard error.
say() { printf '== %s\n' "$*" >&2; }

# die WORDS…: says what failed and what to do, and ends the script.
die() { status "failed: $*"; printf '== failed: %s\n' "$*" >&2; exit 1; }

# took SECONDS: a duration as people write it.
took() {
    if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); fi
}

# status WORDS…: one line for the venue's page while the web viewer is built, where STATUS_FILE names a file.
status() {
    [ -n "${STATUS_FILE-}" ] || return 0
    printf '%s\n' "$*" >"$STATUS_FILE.new" && mv -f "$STATUS_FILE.new" "$STATUS_FILE"
}

# Steps. Each is one line with its duration; what its command prints goes to $LOG_DIR/WHAT.log, whose end is shown if
# the command fails. While it runs, a terminal shows the seconds, and elsewhere a line each minute says that it goes on.
#
#   step "what" COMMAND…              fails as the command does
#   try "what" COMMAND…               the same, but a failure is one line: there is another way
#   showing REGEX "what" COMMAND…     also prints, on standard output, the lines that match: the results of tests
#
# STEP_PACKAGES=N: cargo compiles about N packages, so that its progress can be told.
step() { run_step fail '' "$@"; }
try() { run_step try '' "$@"; }
showing() { run_step fail "$@"; }

run_step() {
    local on_failure=$1 pattern=$2 what=$3 log started=$SECONDS result=0 ticker
    shift 3
    mkdir -p "$LOG_DIR"
    log=$LOG_DIR/$(tr -cs 'A-Za-z0-9' '-' <<<"$what" | cut -c 1-60 | sed 's/^-*//; s/-*$//').log
    : >"$log"
    status "$what"
    tick "$what" "$log" "$pattern" </dev/null &
    ticker=$!
    if [ -n "$pattern" ]; then
        # grep finds nothing where the command fails early; the command's own result counts.
        "$@" </dev/null 2>&1 | tee -a "$log" | { grep --line-buffered -E -- "$pattern" || true; } || result=${PIPESTATUS[0]}
    else
        "$@" </dev/null >>"$log" 2>&1 || result=$?
    fi
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if [ "$result" -eq 0 ]; then
        say "$what: $(took $((SECONDS - started)))"
    elif [ "$on_failure" = try ]; then
        say "$what: did not work, after $(took $((SECONDS - started))) (its output: $log)"
    else
        status "failed: $what. Its output: ${log#"$ROOT/"}. Then run again: make run"
        say "failed after $(took $((SECONDS - started))): $what. The end of its output:"
        tail -n 40 "$log" >&2
        say "all of its output: $log"
    fi
    return "$result"
}

# What shows that a step is still running; ended by run_step, and by itself if the script dies.
tick() {
    local what=$1 log=$2 pattern=$3 started=$SECONDS seconds=0 due=60 progress sleeping=
    trap 'kill $sleeping 2>/dev/null; exit 0' TERM INT
    while kill -0 "$$" 2>/dev/null; do
        progress=$(packages "$log")
        # Lines that appear between would break the one that is written over.
        if [ -t 2 ] && [ -z "$pattern$BEHIND_SERVICE" ]; then
            printf '\r\033[K== %s … %s%s' "$what" "$(took "$seconds")" "${progress:+, $progress}" >&2
        elif [ "$seconds" -ge "$due" ]; then
            due=$((due + 60))
            say "… $what, for $(took "$seconds")${progress:+, $progress}"
        fi
        status "$what: $(took "$seconds")${progress:+, $progress}"
        sleep 1 &
        sleeping=$!
        wait "$sleeping" || true
        seconds=$((SECONDS - started))
    done
}

# packages LOG: how far cargo is, by its output so far; nothing where it is not cargo's.
packages() {
    local count
    count=$(grep -cE '^ +Compiling ' "$1") || return 0
    printf '%s' "$count${STEP_PACKAGES:+ of about $STEP_PACKAGES} packages"
}

# beat "what" COMMAND…: for a command whose output is to be seen; says every 20 seconds that it runs.
beat() {
    local what=$1 status=0 started=$SECONDS beating
    shift
    (
        trap 'kill "$!" 2>/dev/null; exit 0' TERM INT
        while :; do
            sleep 20 &
            wait "$!"
            printf '== … still: %s (%d s)\n' "$what" $((SECONDS - started)) >&2
        done
    ) </dev/null &
    beating=$!
    "$@" || status=$?
    kill "$beating" 2>/dev/null || true
    wait "$beating" 2>/dev/null || true
    return "$status"
}

# as_root COMMAND…: with sudo where needed; it asks for a password only where somebody can type one.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; elif [ -n "$BEHIND_SERVICE" ]; then sudo -n "$@"; else sudo "$@"; fi
}

# apt ARGS…: apt-get without questions, waiting for another one that is at work.
apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"; }

# have COMMAND: whether it can be run.
have() { command -v "$1" >/dev/null 2>&1; }

# locked NAME: the version of a crate in Cargo.lock.
locked() { awk -v name="\"$1\"" '$1 == "name" { found = $3 == name } found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"; }
