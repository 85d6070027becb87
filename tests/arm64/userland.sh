#!/usr/bin/env bash
# The product in a board's userland: an arm64 Debian under user-mode emulation, in a chroot.
#
#   tests/arm64/userland.sh [--suite NAME] [--mirror URL] [--python VERSION] [--short] [--cache DIR]
#
#   --suite   bookworm (Python 3.11, the default), trixie (3.13), or with Ubuntu's mirror jammy
#             (3.10, as JetPack 6) or noble (3.12, as JetPack 7)
#   --mirror  of arm64 packages; default: Debian's. Ubuntu's is http://ports.ubuntu.com/ubuntu-ports
#   --python  3.10 (as JetPack 6) or 3.12 (as JetPack 7) in place of a Debian's own Python, built
#             from the source of Ubuntu's package; it takes a compiler here too (build-essential)
#   --short   no apt, no board: the product on an unconfigured userland, for every change
#   --cache   keeps packages and the made userland in a folder, for the next run
#
# It needs root, an x86-64 Linux, debootstrap and qemu-user-static, for the whole also
# gcc-aarch64-linux-gnu, and an edgesr that runs here to compare with (sh setup.sh demo). All mounts
# are in a namespace of their own and all processes too: however this ends, none are left.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
suite=bookworm mirror=http://deb.debian.org/debian other_python="" short=0 cache="" inside=""
python=$here/.venv/bin/python
[ -x "$python" ] || python=python3
handlers=/proc/sys/fs/binfmt_misc
# shellcheck source=tests/arm64/board.sh
. "$here/tests/arm64/board.sh"
# shellcheck source=tests/arm64/other_python.sh
. "$here/tests/arm64/other_python.sh"

fail() {
    printf 'error: %s\n  try: %s\n' "$1" "$2" >&2
    exit 1
}

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --short) short=1 ;;
        --suite | --mirror | --cache | --inside)
            [ $# -ge 2 ] || fail "$1 needs a value" "head -n 20 $0"
            declare -g "${1#--}=$2"
            shift
            ;;
        --python)
            python_release "${2-}" >/dev/null || fail "--python takes 3.10 or 3.12" "--python 3.10"
            other_python=$2
            shift
            ;;
        *) fail "unknown option $1" "head -n 20 $0" ;;
        esac
        shift
    done
}

check_machine() {
    local missing=() program
    [ -z "$other_python" ] || [ "$short$suite" = 0bookworm ] ||
        fail "--python goes with all of bookworm, not with --short nor another suite" "$0 --python 3.10"
    [ "$(id -u)" = 0 ] || fail "chroot and mounts need root" "sudo $0"
    [ "$(uname -m)" = x86_64 ] || fail "this emulates arm64 on x86-64; here is $(uname -m)" "another PC"
    for program in debootstrap:debootstrap qemu-aarch64-static:qemu-user-static \
        unshare:util-linux aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu \
        make:build-essential gcc:build-essential curl:curl; do
        case $program$short in aarch64-linux-gnu-gcc*1) continue ;; esac
        case $program in make:* | gcc:* | curl:*) [ -n "$other_python" ] || continue ;; esac
        command -v "${program%:*}" >/dev/null || missing+=("${program#*:}")
    done
    [ ${#missing[@]} -eq 0 ] ||
        fail "missing here: ${missing[*]}" "sudo apt-get install ${missing[*]}"
    [ -e /etc/ssl/certs/ca-certificates.crt ] ||
        fail "there are no certificates for pip" "sudo apt-get install ca-certificates"
    grep -qw binfmt_misc /proc/filesystems || modprobe binfmt_misc 2>/dev/null ||
        fail "this kernel cannot start programs of another processor (binfmt_misc)" "another kernel"
    (cd "$here" && "$python" -c 'import cv2, edgesr, onnxruntime' 2>/dev/null) ||
        fail "no edgesr runs here to compare with" "sh setup.sh demo"
}

# Runs the rest in namespaces of its own, waits, and leaves nothing.
contain() {
    local child code=0
    work=$(mktemp -d /var/tmp/edgesr-arm64.XXXXXX)
    unshare --mount --pid --fork --kill-child --mount-proc \
        "$0" "$@" --inside "$work" </dev/null &
    child=$!
    trap 'kill -KILL $child 2>/dev/null; exit 143' INT TERM HUP
    trap 'clean_up' EXIT
    wait $child || code=$?
    exit $code
}

# shellcheck disable=SC2329  # a trap calls it
clean_up() {
    local name
    name=$(handler_name "$work")
    unshare --mount sh -c "mountpoint -q $handlers || mount -t binfmt_misc binfmt_misc $handlers
        [ ! -e $handlers/$name ] || echo -1 >$handlers/$name"
    rm -rf --one-file-system "$work"
}

handler_name() { echo "edgesr-${1##*.}"; }

# Lets the kernel start arm64 programs by qemu: O, P, F as Debian does it; C, so that sudo is root's.
register() {
    local magic='\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    local qemu=/usr/libexec/qemu-binfmt/aarch64-binfmt-P
    [ -e "$qemu" ] || fail "qemu-user-static is not Debian's: no $qemu" "a Debian of 12 or later"
    mount -t binfmt_misc binfmt_misc "$handlers"
    echo ":$(handler_name "$work"):M::$magic:$mask:$qemu:OPFC" >"$handlers/register"
}

started=$SECONDS
step() {
    printf '\n== %4d s  %s\n' $((SECONDS - started)) "$*"
}

# What a Cortex-A78AE has is what a Cortex-A76 has: ONNX Runtime takes other kernels on newer ones.
# PIP_NO_COMPILE is turned on by `no`, says pip; emulated, compiling what is never imported is most
# of an installation.
enter() { # enter USER COMMAND...
    local user=$1 home=/root as=()
    shift
    if [ "$user" != root ]; then
        home=/home/$user
        as=(setpriv --reuid "$user" --regid "$user" --init-groups)
    fi
    env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LC_ALL=C.UTF-8 TERM=dumb HOME="$home" \
        USER="$user" QEMU_CPU=cortex-a76 PIP_CERT=/opt/certificates.crt \
        PIP_ONLY_BINARY=:all: PIP_NO_COMPILE=no PIP_DISABLE_PIP_VERSION_CHECK=1 \
        ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} \
        chroot "$root" "${as[@]}" "$@"
}

make_userland() {
    local kept=$cache/$suite${other_python:+-python$other_python}.tar debs=() with=python3
    [ -z "$other_python" ] || with=$(python_libraries)
    step "debootstrap $suite, arm64"
    if [ -n "$cache" ] && [ -e "$kept" ]; then
        tar -xf "$kept" -C "$root"
        return
    fi
    [ -z "$cache" ] || debs=(--cache-dir "$(mkdir -p "$cache/debs" && cd "$cache/debs" && pwd)")
    debootstrap --arch arm64 --variant minbase --include "$with,sudo" "${debs[@]}" \
        "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
        { tail -n 5 "$work/debootstrap.log"; fail "debootstrap failed" "--mirror URL"; }
    [ -z "$other_python" ] || put_python "$root" "$work" "$other_python" "$suite" "$mirror"
    [ -z "$cache" ] || tar -cf "$kept" -C "$root" .
}

copy_checkout() {
    local home=$1
    mkdir -p "$home"
    (cd "$here" && tar -c --exclude=__pycache__ pyproject.toml setup.cfg constraints.txt setup.sh \
        README.md LICENSE edgesr jetson tests/data/photo.png tests/power/data/logs tests/arm64) |
        tar -x -C "$home" --no-same-owner
}

compare() { # compare FOLDER NAME: the board's picture with what this machine makes of the same
    step "compare with x86-64"
    (cd "$here" && PYTHONDONTWRITEBYTECODE=1 "$python" -m edgesr upscale tests/data/photo.png \
        --backend onnxruntime -o "$work/x86.png")
    PYTHONDONTWRITEBYTECODE=1 "$python" "$here/tests/arm64/same_picture.py" \
        "$work/x86.png" "$1/$2"
}

run_board() {
    local home=$root/home/jetson/edgesr
    step "the board: its files, its programs, its packages"
    make_board "$root" "$here"
    copy_checkout "$home"
    enter root chown -R jetson:jetson /home/jetson
    mount_board "$root"
    enter jetson bash /home/jetson/edgesr/tests/arm64/on_board.sh
    compare "$home" runs/photo_x4.png
    cmp <(cd "$here" && "$python" -B -m edgesr power --json tests/power/data/logs/orin_nano_25w_load.txt) \
        "$home/power.json"
    echo "power: the same document as on x86-64"
}

# What is fast: packages unpacked by this machine's processor, wheels chosen by its pip.
run_short() {
    local site=$root/usr/lib/python3/dist-packages deb platform platforms=()
    step "debootstrap --download-only $suite, arm64; unpacked, not configured"
    debootstrap --arch arm64 --variant minbase --download-only \
        --include python3,libgl1,libglib2.0-0 "$suite" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
        { tail -n 5 "$work/debootstrap.log"; fail "debootstrap failed" "--mirror URL"; }
    for deb in "$root"/var/cache/apt/archives/*.deb; do
        dpkg-deb -x "$deb" "$root"
    done
    step "wheels for aarch64 and Python $(minor_version)"
    for platform in manylinux2014 manylinux_2_27 manylinux_2_28 manylinux_2_34; do
        platforms+=(--platform "${platform}_aarch64")
    done
    "$python" -m pip install --quiet --quiet --target "$site" --only-binary :all: "${platforms[@]}" \
        --python-version "$(minor_version)" --constraint "$here/constraints.txt" --no-warn-conflicts \
        numpy opencv-python onnxruntime typer rich msgspec
    copy_checkout "$root/root/edgesr"
    board_processors "$root"
    mount -t proc proc "$root/proc"
    step "edgesr doctor"
    enter root sh -c 'cd && cd edgesr && python3 -m edgesr doctor'
    step "edgesr upscale"
    enter root sh -c 'cd && cd edgesr && python3 -m edgesr upscale tests/data/photo.png -o arm64.png'
    compare "$root/root/edgesr" arm64.png
}

minor_version() { basename "$(echo "$root"/usr/bin/python3.*)" | sed 's/python//'; }

# One command, read as a whole before it runs: this file may change meanwhile.
main() {
    parse_arguments "$@"
    if [ -z "$inside" ]; then
        check_machine
        contain "$@"
    fi
    work=$inside root=$inside/root
    mkdir -p "$root"
    register
    if [ "$short" -eq 1 ]; then
        run_short
    else
        make_userland
        run_board
    fi
    step "all of it passed on $(uname -m) as $(enter root uname -m)," \
        "load $(cut -d ' ' -f 1-3 /proc/loadavg)"
    exit 0
}

main "$@"
