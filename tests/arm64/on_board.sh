#!/usr/bin/env bash
# What an owner does on the day the board comes, with what must hold after each step. Runs as the
# user jetson inside the userland that userland.sh made; that it is emulated it does not know.
set -euo pipefail
cd "$(dirname "$0")/../.."

started=$SECONDS
step() { printf '\n== %4d s  %s\n' $((SECONDS - started)) "$*"; }

holds() { # holds WHAT COMMAND...
    local what=$1
    shift
    if "$@" >/dev/null; then echo "holds: $what"; else
        echo "error: does not hold: $what ($*)"
        exit 1
    fi
}

step "sh setup.sh demo, README's first command"
sh setup.sh demo
holds "a picture of four times the size" .venv/bin/python -c \
    'import cv2; assert cv2.imread("runs/photo_x4.png").shape == (432, 576, 3)'
holds "its environment does not see the system's packages" \
    grep -q 'include-system-site-packages = false' .venv/pyvenv.cfg

# Not the student: its scan, written out for TensorRT, takes minutes a tile under emulation.
step "jetson/setup.sh edgesr/weights/esr-fast_x4.onnx --power-mode 15w --samples 20"
jetson/setup.sh edgesr/weights/esr-fast_x4.onnx --power-mode 15w --samples 20
holds "the environment was made anew" grep -q 'include-system-site-packages = true' .venv/pyvenv.cfg
holds "the power mode is 25W again" grep -qx 1 /var/lib/stand_in/mode
holds "the clock is that of 25W again" grep -qx 918000000 /sys/class/devfreq/17000000.gpu/max_freq
holds "the clocks were put back" grep -q -- 'jetson_clocks --restore' /var/lib/stand_in/calls
ls -l edgesr-jetson-*.tar.gz
for name in setup.log environment.txt doctor.json engine.json verify.json result.json report.html; do
    holds "the archive has $name" sh -c "tar -tzf edgesr-jetson-*.tar.gz | grep -q /$name"
done
holds "nothing in the checkout is root's" test -z "$(find . -user root)"
holds "the engine was measured in 15W" grep -q '"power_mode": "15W"' edgesr-jetson-*/bench/run.json

PATH=$PWD/.venv/bin:$PATH
step "edgesr doctor"
edgesr doctor

step "edgesr upscale, by ONNX Runtime and by the engine"
edgesr upscale tests/data/photo.png --model esr-fast --backend onnxruntime -o fast_x4.png
edgesr upscale tests/data/photo.png --model esr-fast -o engine_x4.png | tee upscale.txt
holds "the engine was taken" grep -q tensorrt upscale.txt

step "edgesr bench --samples 20, with power"
edgesr bench --model esr-fast --backend onnxruntime --samples 20 --idle-s 2 --window-s 2 -o runs/bench
holds "power was measured" python -c 'import json
rows = json.load(open("runs/bench/result.json"))["models"]
assert rows and all(row["power"]["average_mw"] > 1000 for row in rows), rows'

step "edgesr power"
edgesr power tests/power/data/logs/orin_nano_25w_load.txt
edgesr power --json tests/power/data/logs/orin_nano_25w_load.txt >power.json

step "edgesr report"
edgesr report runs/bench -o report
holds "the report is there" test -s report/report.html
