#!/usr/bin/env bash
# On a Jetson: check, install, build an engine, verify it, measure it, pack everything into one file.
#
#   jetson/setup.sh [MODEL.onnx] [--power-mode NAME] [--samples N] [--no-install] [--no-bench]
#
# Power mode and clocks are put back at the end, whatever happens: at an error, at Ctrl-C, at a kill
# that can be caught; after one that cannot, at the next run of this or of `edgesr bench --sweep`.
# The archive is written then too, so that it can be sent as it is.
#
# `sh jetson/setup.sh` starts it in a shell without arrays and pipefail: it goes on in bash.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set +o posix # where `sh` is a bash
set -euo pipefail

model="" power_mode="" samples=1000 install=1 bench=1
root=""       # --root DIR: read the board's files below DIR, for tests
edgesr="edgesr"
here=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
# shellcheck source=jetson/power_mode.sh
. "$here/jetson/power_mode.sh"

usage() {
    cat <<'END'
Check this Jetson, install what is missing, build, verify, measure, pack the logs.

  jetson/setup.sh [MODEL.onnx] [options]

  MODEL.onnx         what to build; default: the student that comes with edgesr, in fp16
  --power-mode NAME  set this mode for the run (7w, 15w, 25w, maxn-super, ...); default: leave it
  --samples N        images that are measured (1000)
  --no-install       install nothing; use the edgesr on the PATH
  --no-bench         stop after verifying
END
}

say() { printf '== %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$1"
    [ $# -lt 2 ] || printf '  try: %s\n' "$2"
    exit 1
}

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --power-mode | --samples | --root)
            [ $# -ge 2 ] && [ -n "$2" ] || fail "$1 needs a value" "jetson/setup.sh --help"
            case $1 in
            --power-mode) power_mode=$2 ;;
            --samples) samples=$2 ;;
            --root) root=$2 ;;
            esac
            shift
            ;;
        --no-install) install=0 ;;
        --no-bench) bench=0 ;;
        -h | --help)
            usage
            exit 0
            ;;
        -*) fail "unknown option $1" "jetson/setup.sh --help" ;;
        *)
            [ -z "$model" ] || fail "one model at a time: $model, $1" "jetson/setup.sh --help"
            model=$1
            ;;
        esac
        shift
    done
    case $samples in
    '' | *[!0-9]*) fail "--samples takes a whole number, not '$samples'" "--samples 1000" ;;
    *[1-9]*) ;;
    *) fail "--samples $samples measures nothing" "--no-bench, or --samples 1000" ;;
    esac
    [ -z "$model" ] || [ -f "$model" ] || fail "$model: no such file" "edgesr export --precision fp16"
}

check_board() {
    local release major
    release=$(cat "$root/etc/nv_tegra_release" 2>/dev/null) ||
        fail "this is no Jetson (there is no /etc/nv_tegra_release)" "edgesr doctor"
    major=$(sed -n 's/^# R\([0-9]*\) .*/\1/p' <<<"$release")
    say "$(tr -d '\0' <"$root/proc/device-tree/model" 2>/dev/null || echo 'unknown model'), R${major:-?}"
    if [ "${major:-0}" -lt 36 ]; then
        fail "Jetson Linux R${major:-?} is JetPack 5 or older, whose Python is too old" \
            "flash JetPack 6.2 or later (https://developer.nvidia.com/embedded/jetpack)"
    fi
}

install_missing() {
    local packages=() libraries system_python="$root/usr/bin/python3"
    "$system_python" -c 'import tensorrt' 2>/dev/null || packages+=(python3-libnvinfer)
    "$system_python" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
    [ -x /usr/local/cuda/bin/nvcc ] || packages+=(nvidia-jetpack)
    compgen -G '/usr/include/python3*/Python.h' >/dev/null || packages+=(python3-dev)
    command -v g++ >/dev/null || packages+=(g++) # compiles pycuda, and the plugin for nvcc
    # OpenCV's wheel links to these; a board without a desktop may lack them.
    libraries=$(/sbin/ldconfig -p)
    [[ $libraries == *"libGL.so.1 "* ]] || packages+=(libgl1)
    [[ $libraries == *"libglib-2.0.so.0 "* ]] || packages+=(libglib2.0-0)
    if [ ${#packages[@]} -gt 0 ]; then
        say "installing ${packages[*]}"
        sudo apt-get update
        sudo apt-get install -y --no-install-recommends "${packages[@]}"
    fi
    # TensorRT comes as a system package, so the environment must see those.
    if [ -d "$here/.venv" ] && ! sees_system_packages; then
        say "making $here/.venv anew: TensorRT cannot be seen from it"
        rm -rf "$here/.venv"
    fi
    [ -d "$here/.venv" ] || "$system_python" -m venv --system-site-packages "$here/.venv"
    # pycuda is compiled here and finds neither nvcc nor cuda.h by itself.
    PATH="/usr/local/cuda/bin:$PATH" \
        CPATH="/usr/local/cuda/include:/usr/local/cuda/targets/aarch64-linux/include" \
        LIBRARY_PATH="/usr/local/cuda/lib64:/usr/local/cuda/targets/aarch64-linux/lib" \
        "$here/.venv/bin/pip" install --quiet "${here}[jetson]"
    edgesr="$here/.venv/bin/edgesr"
}

# Whether .venv is of the system's Python and sees its packages; `sh setup.sh demo` makes one that
# does not.
sees_system_packages() {
    local system_python="$root/usr/bin/python3" version='import sys; print(sys.version_info[:2])'
    grep -q '^include-system-site-packages *= *true' "$here/.venv/pyvenv.cfg" 2>/dev/null &&
        [ "$("$here/.venv/bin/python" -c "$version" 2>/dev/null)" = \
            "$("$system_python" -c "$version")" ]
}

# Before anything is changed on the board: is there an edgesr to run?
check_edgesr() {
    command -v "$edgesr" >/dev/null ||
        fail "there is no edgesr on the PATH" "leave out --no-install, or activate its environment"
}

# Runs at every end, once; the exit code is the one it came with.
finish() {
    local code=$?
    trap - EXIT
    trap '' INT TERM HUP PIPE # nothing may end this half-way
    set +e
    restore_power
    say "exit code $code"
    exec >&3 2>&3
    wait "$tee_pid" # or the log would go into the archive without its end
    archive="$results.tar.gz"
    tar -czf "$archive" -C "$(dirname "$results")" "$(basename "$results")"
    printf '\nsend this one file: %s\n' "$archive"
    exit "$code"
}

describe() {
    {
        date -u +%FT%TZ
        uname -a
        cat "$root/etc/nv_tegra_release" "$root/etc/nvpmodel.conf" "$root/proc/meminfo" 2>/dev/null
        tr '\0' '\n' <"$root/proc/device-tree/compatible" 2>/dev/null
        sudo nvpmodel -q --verbose
        sudo jetson_clocks --show
        dpkg-query -W 'nvidia-*' 'cuda-*' 'libnvinfer*' 'python3-libnvinfer*' 2>/dev/null
        timeout 3 tegrastats --interval 500
    } >"$results/environment.txt" 2>&1 || true
}

build_verify_measure() {
    local engine onnx
    "$edgesr" doctor --json >"$results/doctor.json" || true # it exits 1 where something is missing
    "$edgesr" build-engine ${model:+-m "$model"} --json >"$results/engine.json"
    engine=$(field engine) onnx=$(field onnx)
    say "built $engine"
    "$edgesr" verify -m "$engine" --against "$onnx" --json | tee "$results/verify.json"
    cp "$engine.json" "$results/"
    [ "$bench" -eq 1 ] || return 0
    "$edgesr" bench -m "$engine" --samples "$samples" -o "$results/bench"
}

field() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' \
        "$results/engine.json" "$1"
}

parse_arguments "$@"
check_board
check_power_mode
state="$root/var/lib/edgesr/power"
results="$PWD/edgesr-jetson-$(date +%Y%m%d-%H%M%S)"
[ ! -e "$results" ] || results="$results-$$" # a second run within one second
mkdir "$results"
exec 3>&1 > >(tee -i "$results/setup.log") 2>&1
tee_pid=$!
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [ "$install" -eq 1 ]; then install_missing; fi
check_edgesr
put_back_left
describe
set_power
build_verify_measure
say "done"
