# shellcheck shell=bash
# Shared by the benchmarks beside this file; sourced after lib.sh.

BENCH_DIR=$CACHE_DIR/bench
PARTERRE=${PARTERRE:-$TARGET_DIR/release/parterre}

# peer NAME: installs a program to compare with: a crate or Python packages.
peer() {
    case $1 in
        copc_converter)
            have copc_converter || CARGO_TARGET_DIR=$CACHE_DIR/tools-target beat "building copc_converter" \
                cargo install --root "$TOOLS_DIR" copc_converter --version 0.16.0
            ;;
        py3dtiles) venv py3dtiles 'py3dtiles[las]==12.*' 'laspy[lazrs]' ;;
        readers) venv readers 'laspy[lazrs]==2.*' 'pye57==0.4.*' 'plyfile==1.*' numpy ;;
        nginx) have nginx || unpacked nginx ;;
        *) die "no peer is called '$1'; known: copc_converter, py3dtiles, readers, nginx" ;;
    esac
}

# unpacked PACKAGE: a Debian package's files in a folder of their own, $TOOLS_DIR/PACKAGE. Not installed: a server's package would start it.
unpacked() {
    local dir=$TOOLS_DIR/$1
    [ -f "$dir/.whole" ] && return
    have apt-get || die "$1 is missing and this is no Debian. Install it, then run this again"
    rm -rf "$dir"
    mkdir -p "$dir"
    (cd "$dir" && beat "fetching $1" apt-get -q -o APT::Sandbox::User="$(id -un)" download "$1" >&2) || die "$1 could not be fetched. Install it, then run this again"
    dpkg-deb -x "$dir"/*.deb "$dir"
    touch "$dir/.whole"
}

# venv NAME PACKAGE…: Python packages in their own folder, $TOOLS_DIR/NAME.
venv() {
    local dir=$TOOLS_DIR/$1
    shift
    [ -f "$dir/.whole" ] && return
    python3 -m venv --clear "$dir"
    beat "fetching $1" "$dir/bin/pip" install --quiet --disable-pip-version-check "$@"
    touch "$dir/.whole"
}

# stadium POINTS EXTENSION: path of the synthetic stadium, which is generated once and kept.
stadium() {
    local file=$BENCH_DIR/stadium-$1.$2 need
    if [ ! -s "$file" ]; then
        mkdir -p "$BENCH_DIR"
        need=$(($1 * 36))
        [ "$(df --output=avail -B1 "$BENCH_DIR" | tail -1)" -gt $((need * 3)) ] ||
            die "not enough disk space for a stadium of $1 points and its output: $BENCH_DIR needs about $((need * 3 / 1000000000)) GB"
        beat "making a stadium of $1 points" "$PARTERRE" demo --stadium "$1" --seed 7 -o "$file" >&2
    fi
    printf '%s\n' "$file"
}

# machine: one line that describes this machine.
machine() {
    printf '%s, %s cores, %s GiB memory, %s' \
        "$(lscpu | sed -n 's/^Model name: *//p' | head -1)" "$(nproc)" \
        "$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "$(. /etc/os-release && echo "$PRETTY_NAME")"
}

# replace_section FILE NAME: puts standard input between the lines <!-- NAME --> and <!-- /NAME --> of a document.
replace_section() {
    local file=$1 name=$2 text
    text=$(cat)
    grep -qF "<!-- $name -->" "$file" && grep -qF "<!-- /$name -->" "$file" || die "$file has no section $name"
    TEXT=$text awk -v from="<!-- $name -->" -v to="<!-- /$name -->" '
        $0 == to { skip = 0 }
        !skip { print }
        $0 == from { skip = 1; print ENVIRON["TEXT"] }' "$file" >"$file.part"
    mv "$file.part" "$file"
}
