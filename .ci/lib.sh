# Shared by the scripts beside this file; sourced, not run.
#
# Says what is going on (`say`), keeps a quiet step from being silent (`beat`), and knows where things are kept. Every
# folder can be set from outside, by the Makefile's variables of the same names.

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
PATH=$TOOLS_DIR/bin:$PATH
export CACHE_DIR TARGET_DIR WASM_TARGET_DIR TOOLS_DIR PATH

# say WORDS…: one line about what happens now, on standard error.
say() { printf '== %s\n' "$*" >&2; }

# die WORDS…: says what failed and what to do, and ends the script.
die() { printf '== failed: %s\n' "$*" >&2; exit 1; }

# beat "what" COMMAND…: runs the command; while it runs, says every 20 seconds that it does.
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

# have COMMAND: whether it can be run.
have() { command -v "$1" >/dev/null 2>&1; }

# locked NAME: the version of a crate in Cargo.lock.
locked() { awk -v name="\"$1\"" '$1 == "name" { found = $3 == name } found && $1 == "version" { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"; }
