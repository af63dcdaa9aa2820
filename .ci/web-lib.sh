# shellcheck shell=bash
# Shared by the scripts that make the web viewer; sourced after lib.sh.
#
# A folder of the web viewer (--web of the service) holds:
#
#   builds/ID/          one build: parterre_viewer.js, parterre_viewer_bg.wasm and snippets/ for the page; decode_worker.js,
#                       parterre_worker.js and parterre_worker_bg.wasm for its workers; compressed copies (.gz, .br),
#                       made-from.txt. ID is made of the contents, and a finished build never changes, so that a browser that has
#                       loaded the script of one build gets the program of the same.
#   current-build.txt   ID of the build that new pages use
#   build-status.txt    one line on how far the building is, shown by the pages until there is a build

NAME=parterre_viewer
# The page's program, and its workers'.
PROGRAMS=("$NAME" parterre_worker)
COMPILED=$WASM_TARGET_DIR/wasm32-unknown-unknown/web
WORKER_SCRIPT=$ROOT/viewer/worker/decode_worker.js

# open_web DIR: takes the folder for this script alone, and makes the empty folder $STAGE in it.
open_web() {
    mkdir -p "$1/builds"
    WEB=$(cd "$1" && pwd)
    STAGE=$WEB/builds/.new
    exec 9>"$WEB/builds/.lock"
    if ! flock -n 9; then
        say "waiting for another build of the web viewer in $WEB"
        flock 9
    fi
    rm -rf "$STAGE"
    mkdir "$STAGE"
}

# current_build: the folder of the current build; fails where there is none.
current_build() {
    local id
    id=$(cat "$WEB/current-build.txt" 2>/dev/null) && [ -s "$WEB/builds/$id/$NAME.js" ] && printf '%s' "$WEB/builds/$id"
}

# publish MADE_FROM: makes what is in $STAGE the current build. The build before stays for the pages that have begun to
# load it, older ones go.
publish() {
    local id before folder
    id=$(cd "$STAGE" && find . -type f ! -name '*.gz' ! -name '*.br' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
    printf '%s\n' "$1" >"$STAGE/made-from.txt"
    before=$(cat "$WEB/current-build.txt" 2>/dev/null || true)
    if [ -d "$WEB/builds/$id" ]; then
        mv -f "$STAGE/made-from.txt" "$WEB/builds/$id/made-from.txt"
        rm -rf "$STAGE"
    else
        mv -T "$STAGE" "$WEB/builds/$id"
    fi
    printf '%s\n' "$id" >"$WEB/current-build.txt.new"
    mv -f "$WEB/current-build.txt.new" "$WEB/current-build.txt"
    for folder in "$WEB"/builds/*/; do
        case $(basename "$folder") in
            "$id" | "$before") ;;
            *) rm -rf "$folder" ;;
        esac
    done
    # A viewer that lies in the folder itself is not looked at once there are builds.
    rm -f "$WEB/$NAME".js* "$WEB/${NAME}_bg.wasm"* "$WEB/made-from.txt"
}
