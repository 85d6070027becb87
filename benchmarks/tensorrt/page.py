"""The page benchmarks/TENSORRT.md, from what the other scripts of this folder wrote.

python -m benchmarks.tensorrt.page
"""

from collections.abc import Mapping
from typing import Any

from benchmarks.shared.commands import parser_of
from benchmarks.shared.folders import BENCHMARKS, RESULTS
from benchmarks.shared.markdown import listed, markdown, score_cell
from benchmarks.shared.results import read_result
from benchmarks.tensorrt.asked import LAYERS, SETS, VERIFIED_DB, asked_lines, by_name, cell
from benchmarks.tensorrt.calls import call_lines, kernel_lines, where
from edgesr.bench.text import significant
from edgesr.files import sha256, write_text
from edgesr.weights import shipped

PLACE = RESULTS / "tensorrt"
PAGE = BENCHMARKS / "TENSORRT.md"
EARLIER = "host_to_host_h200"
"""The result that is not of the same run as the others: it compares two earlier versions."""
OTHER_BUILDS = "engines_alone_64_cores"
"""Builds of the same three files in an earlier run, on another host."""
PARTS = {
    "engines_alone": "json",
    OTHER_BUILDS: "json",
    "engines_student": "json",
    "table_gpu": "json",
    "eight_sms_plugin": "json",
    "mixer_kernel": "json",
    "kernels": "json.xz",
    EARLIER: "json",
}
"""The results that the page is made from."""
BUILT = {
    "espcn_fp16_b1": "ESPCN",
    "student_fp16_plugin_b1": "the student with the plugin",
    "student_fp16_compact_b1": "the student without it",
}
"""The engines of engines_alone."""
COMMANDS = """\
export EDGESR_HOME=$(mktemp -d)  # an empty timing cache
mkdir work two
for name in student espcn; do
  edgesr export -m $name --precision fp16 --batch 1 -o work/${name}_x4_fp16_b1.onnx
done
build() { edgesr build-engine --board gpu -m work/$1_x4_fp16_b1.onnx $3 -o work/$2_b1.engine; }
build student student_fp16_plugin --plugin & build student student_fp16_compact --no-plugin &
build espcn espcn_fp16 & wait
check() { edgesr verify -m work/$2_b1.engine --against work/$1_x4_fp16_b1.onnx; }
check student student_fp16_plugin; check student student_fp16_compact; check espcn espcn_fp16
to=benchmarks/results/tensorrt
short="--window 2 --idle 3 --photo tests/data/city_512.jpg"
python -m benchmarks.tensorrt.engine_times work --built-at-once 3 --out $to/engines_alone.json
python -m benchmarks.tensorrt.engine_table measure --name table_gpu --sets SETS --work work $short
cp work/student_fp* work/espcn_fp* two
python -m benchmarks.tensorrt.engine_times two --out $to/engines_student.json
plugin=two/student_fp16_plugin_b1.engine
python -m benchmarks.tensorrt.eight_sms $plugin -o $to/eight_sms_plugin.json
python -m benchmarks.tensorrt.mixer_kernel --builds steps4 --out $to/mixer_kernel.json
python -m benchmarks.tensorrt.kernels
python -m benchmarks.tensorrt.engine_table render
python -m benchmarks.tensorrt.page
"""
Json = dict[str, Any]


def read(name: str) -> Json:
    """Return a committed result."""
    found: Json = read_result(PLACE / f"{name}.{PARTS[name]}")
    return found


def page(results: Mapping[str, Json]) -> str:
    """Return the page of results, which are named as in PARTS."""
    return "\n".join(
        [
            *_head(results["engines_student"]),
            *asked_lines(results),
            *_engines(results),
            *_few(results["eight_sms_plugin"]),
            *kernel_lines(results["mixer_kernel"], results["kernels"]),
            *call_lines(results[EARLIER]),
            *_again(),
        ]
    )


def _head(engines: Json) -> list[str]:
    releases = listed(sorted({row["tensorrt"] for row in engines["engines"]}))
    return [
        "# TensorRT on a GPU",
        "",
        f"Measured on {where(engines)} with TensorRT {releases}. **No Jetson has been measured.** "
        "That GPU is far larger than any Jetson: read the rows against each other, not as times of "
        "a board. All networks of Table I, with watts and joules, are in "
        "[README.md](README.md#table_gpu-one-nvidia-h200-tensorrt-853).",
        "",
    ]


def _engines(results: Mapping[str, Json]) -> list[str]:
    found, table = results["engines_student"], results["table_gpu"]
    header = ["engine", "device ms", "host to host ms", "layers", "in FP16"]
    header += ["parse s", "build s", "verified dB"]
    return [
        "## Student and ESPCN",
        "",
        "One call of a batch (b1, b32) of tiles of 64 x 64, x4; medians, nothing else on the GPU. "
        "*Device* is the GPU's own clock, copies not counted; *host to host* is from array to "
        "array. *Verified* is the PSNR on five patches between the engine and ONNX Runtime with "
        "the same file. How long a build takes depends on what is built beside it, so only those "
        "below the table are compared.",
        "",
        markdown(header, [_engine(row) for row in found["engines"]]),
        "",
        f"- {_alone(results['engines_alone'])}",
        f"- {_again_alone(results[OTHER_BUILDS])}",
        *_all_full(found),
        f"- {_quality(table)}",
        *_weights(table),
        "",
    ]


def _engine(row: Json) -> list[str]:
    decibels, layers = row["verification"]["psnr_db"], row["layer_count"]
    is_long = row["network"] == "student" and layers > LAYERS[row["plugin"]]
    is_far = row["precision"] == "fp16" and decibels < VERIFIED_DB
    return [
        row["name"],
        significant(row["device_ms"], 3),
        significant(row["host_ms"], 3),
        cell(str(layers), is_long),
        str(sum(kinds.get("fp16", 0) for kinds in row["layers"].values())),
        f"{row['parse_s']:.2f}",
        f"{row['build_s']:.1f}" + (" (warm)" if row["timing_cache"] == "warm" else ""),
        cell(f"{decibels:.1f}", is_far),
    ]


def _alone(found: Json) -> str:
    """Tell of the engines that were built with nothing beside them."""
    rows = by_name(found)
    told = [f"{what} {rows[name]['build_s']:.1f} s" for name, what in BUILT.items()]
    return (
        f"Built in FP16, {rows['espcn_fp16_b1']['built_at_once']} at once, with nothing else on "
        f"the GPU and an empty timing cache: {listed(told)}. Parsing is part of that."
    )


def _again_alone(found: Json) -> str:
    """Tell of another run's builds, since how long one takes varies from run to run."""
    rows = by_name(found)
    first, *others = ((rows[name]["build_s"], what) for name, what in BUILT.items())
    told = [f"{what} {build_s / first[0]:.2f} times that" for build_s, what in others]
    return (
        f"On another host, of {found['cpu_cores']} cores: {first[1]} {first[0]:.1f} s, "
        f"{listed(told)}."
    )


def _all_full(found: Json) -> list[str]:
    """Tell of the engines of FP16 files that have no layer in FP16."""
    full = [
        row["name"]
        for row in found["engines"]
        if row["precision"] == "fp16"
        and not any("fp16" in kinds for kinds in row["layers"].values())
    ]
    if not full:
        return []
    return [
        "- A builder may compute an FP16 file in FP16 and takes what it finds faster: every layer "
        f"of {listed(full)} is in FP32."
    ]


def _quality(table: Json) -> str:
    """Return what the engines of the student score."""
    rows = [r for r in table["runs"]["1"]["networks"] if r["name"].startswith("student")]
    cells = {
        ", ".join(f"{score_cell(r['quality'][name])} on {name}" for name in SETS) for r in rows
    }
    return (
        f"Through each of the {len(rows)} engines of one tile the student has "
        f"{listed(sorted(cells))} (dB / SSIM)."
    )


def _weights(table: Json) -> list[str]:
    row = next(r for r in table["runs"]["1"]["networks"] if r["name"].startswith("student"))
    now = sha256(shipped("student", 4, "safetensors"))
    if now == row["weights_sha256"]:
        return []
    return [
        f"- The student's weights are {row['weights_sha256'][:8]}, not those that ship since, "
        f"{now[:8]}, so what an engine loses of them is not known."
    ]


def _few(eight: Json) -> list[str]:
    few, whole = eight["eight"], eight["whole"]
    return [
        "## On eight multiprocessors",
        "",
        f"On {few['multiprocessors']} multiprocessors of that GPU, as many as an Orin Nano has, "
        f"{eight['engine']} takes {significant(few['device_ms'], 3)} ms at "
        f"{few['sm_mhz'][1]:.0f} MHz ({significant(whole['device_ms'], 3)} ms on all "
        f"{whole['multiprocessors']}); if the time grew with the clock alone, "
        f"{significant(eight['scaled_ms'], 3)} ms at {eight['scaled_to_mhz']} MHz. **A simulation, "
        "no board.**",
        "",
    ]


def _again() -> list[str]:
    raw = listed([f"[{name}](results/tensorrt/{name}.{kind})" for name, kind in PARTS.items()])
    return [
        "## How to repeat it",
        "",
        "On a machine with an NVIDIA GPU, TensorRT, nvcc, TensorRT's headers and torch; SETS holds "
        "Set5 and Set14:",
        "",
        *(f"    {line}" for line in COMMANDS.splitlines()),
        "",
        "The kernel needs torch with CUDA and no TensorRT. The times before and after of a call "
        "were taken with both versions of the session in one process, earlier than the rest; "
        f"today's alone is *host to host*. Raw results: {raw}. This page is made from them by the "
        "last command; a test fails when they differ.",
        "",
    ]


def committed() -> str:
    """Return the page of the committed results."""
    return page({name: read(name) for name in PARTS})


def main() -> None:
    """Write the page."""
    parser_of(__doc__).parse_args()
    write_text(PAGE, committed())


if __name__ == "__main__":
    main()
