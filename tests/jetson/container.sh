#!/usr/bin/env bash
# Builds jetson/Dockerfile over a stand-in for NVIDIA's image, and runs edgesr in what comes out.
#
#   tests/jetson/container.sh [jammy|noble]
#
# jammy (Python 3.10) is the Ubuntu of JetPack 6, noble (Python 3.12) that of JetPack 7. The base is
# made by debootstrap for this machine's processor: Ubuntu, and where NVIDIA's image has TensorRT,
# pycuda and nvcc, stand-ins. So it tells whether each step of the definition works on that Ubuntu
# and that Python; it does not tell whether NVIDIA's image has what it needs.
#
# It takes root, an x86-64 Linux, `apt-get install buildah debootstrap`, and five minutes. All that
# it makes is below one temporary folder, which is removed however it ends.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
suite=${1:-jammy}
mirror=http://archive.ubuntu.com/ubuntu

fail() {
    printf 'error: %s\n  try: %s\n' "$1" "$2" >&2
    exit 1
}

started=$SECONDS
step() { printf '\n== %4d s  %s\n' $((SECONDS - started)) "$*"; }

check_machine() {
    case $suite in jammy | noble) ;; *) fail "no release '$suite'" "$0 jammy, or noble" ;; esac
    [ "$(id -u)" = 0 ] || fail "a root file system is made, which needs root" "sudo $0 $suite"
    local program
    for program in buildah debootstrap; do
        command -v "$program" >/dev/null || fail "there is no $program" "apt-get install $program"
    done
}

images() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }

make_base() {
    local root=$work/root packages=$work/root/usr/lib/python3/dist-packages container mounted
    step "debootstrap $suite"
    # The script that it has for all of Ubuntu's releases; an older one does not know noble's name.
    debootstrap --variant minbase --components main,universe --include python3,ca-certificates \
        "$suite" "$root" "$mirror" /usr/share/debootstrap/scripts/gutsy \
        >"$work/debootstrap.log" 2>&1 ||
        { tail -n 5 "$work/debootstrap.log"; fail "debootstrap failed" "another mirror"; }
    cp "$here/tests/arm64/stand_in/tensorrt.py" "$packages"
    cp -r "$here/tests/arm64/stand_in/pycuda" "$packages"
    mkdir -p "$packages/pycuda-2025.1.dist-info" "$root/usr/local/cuda/bin"
    printf 'Metadata-Version: 2.1\nName: pycuda\nVersion: 2025.1\n' \
        >"$packages/pycuda-2025.1.dist-info/METADATA"
    printf '#!/bin/sh\necho "Cuda compilation tools, release 12.6, V12.6.68"\n' \
        >"$root/usr/local/cuda/bin/nvcc"
    chmod 755 "$root/usr/local/cuda/bin/nvcc"
    # This machine may know more authorities than Ubuntu.
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/opt/certificates.crt"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    container=$(images from scratch)
    mounted=$(images mount "$container")
    cp -a "$root/." "$mounted/"
    images umount "$container" >/dev/null
    images config --env PIP_CERT=/opt/certificates.crt "$container"
    images commit --quiet "$container" localhost/base >/dev/null
    images rm "$container" >/dev/null
    rm -rf --one-file-system "$root"
}

inside() { # inside COMMAND...: as docs/jetson.md has it run
    images run --isolation chroot --volume "$work/pictures:/work" \
        --volume "$work/nv_tegra_release:/etc/nv_tegra_release:ro" "$@"
}

try_image() {
    local container named=(--env EDGESR_BOARD=jetson-orin-nano-8gb)
    mkdir -p "$work/pictures"
    cp "$here/tests/data/photo.png" "$work/pictures"
    echo '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64' \
        >"$work/nv_tegra_release"
    container=$(images from --pull-never localhost/edgesr)
    images inspect --format \
        '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}} {{.OCIv1.Config.WorkingDir}}' "$container"
    step "python --version; edgesr doctor, with EDGESR_BOARD"
    inside "$container" -- python --version
    # It ends with 1: nothing here is a GPU.
    inside "${named[@]}" "$container" -- edgesr doctor || true
    step "edgesr build-engine --check, with EDGESR_BOARD"
    inside "${named[@]}" "$container" -- edgesr build-engine --check | tail -n 1
    step "edgesr upscale photo.png --model esr-fast"
    inside "$container" -- edgesr upscale photo.png --model esr-fast
    [ -s "$work/pictures/photo_x4.png" ]
}

check_machine
work=$(mktemp -d /var/tmp/edgesr-container.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 143' INT TERM HUP
make_base
step "jetson/Dockerfile, over it"
(cd "$here" && images build --isolation chroot --network host \
    --ignorefile jetson/Dockerfile.dockerignore --build-arg BASE=localhost/base \
    -f jetson/Dockerfile -t edgesr . >"$work/build.log" 2>&1) ||
    { tail -n 20 "$work/build.log"; fail "a step of the definition failed" "$0 $suite"; }
grep '^STEP' "$work/build.log"
try_image
step "all of it passed, load $(cut -d ' ' -f 1-3 /proc/loadavg)"
