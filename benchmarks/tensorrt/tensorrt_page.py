"""The page benchmarks/TENSORRT.md, from the results that engine_times.py and mixer_kernel.py wrote.

python benchmarks/tensorrt/tensorrt_page.py
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))

from table1_text import listed, markdown, score_cell  # noqa: E402
from tensorrt_calls import call_lines, kernel_lines, where  # noqa: E402

from edgesr.bench.text import NONE, significant  # noqa: E402
from edgesr.files import write_text  # noqa: E402
from edgesr.verify import LIMIT_DB  # noqa: E402

RESULTS = HERE.parent / "results/tensorrt"
PAGE = HERE.parent / "TENSORRT.md"
PARTS = (
    "engines_h200",
    "engines_channels_last_h200",
    "eight_sms_plugin",
    "mixer_kernel_h200",
    "host_to_host_h200",
)
"""The results that the page is made from, in the order of `page`."""
SETS = ("Set5", "Set14")
LAYERS_ASKED = {True: 200, False: 500}
"""The most layers that an engine of the student shall have, with and without the plugin."""
Json = dict[str, Any]


def read(name: str) -> Json:
    """Return a committed result."""
    found: Json = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def page(engines: Json, newer: Json, eight: Json, kernel: Json, calls: Json) -> str:
    """Return the page.

    Args:
        engines: a result of engine_times.py.
        newer: another, of engines whose tokens are channels-last images.
        eight: a result of eight_sms.py, of one of these.
        kernel: a result of mixer_kernel.py with all builds.
        calls: times of a call from array to array, before and after it became one launch.
    """
    return "\n".join(
        [
            *_head(engines),
            *_newer(newer, eight),
            *_engines(engines),
            *kernel_lines(kernel),
            *call_lines(calls),
            *_again(),
        ]
    )


def _head(engines: Json) -> list[str]:
    releases = listed(sorted({row["tensorrt"] for row in engines["engines"]}))
    return [
        "# TensorRT on a GPU",
        "",
        f"Measured on {where(engines)} with TensorRT {releases}. **No Jetson has been measured.** "
        "An H200 is far larger than any Jetson: read the rows against each other, not as times of "
        "a board.",
        "",
    ]


HEADER = ["engine", "device ms", "host to host ms", "layers", "build s", "verified dB"]


def _newer(found: Json, eight: Json) -> list[str]:
    by_name = {row["name"]: row for row in found["engines"]}
    student, rival = by_name["student_fp16_plugin_b1"], by_name["espcn_fp32_b1"]
    few, whole = eight["eight"], eight["whole"]
    return [
        "## The student as channels-last images",
        "",
        f"On {where(found)}. In FP16 what lies between the student's convolutions is prepared as "
        "images with channels last, norms are a plugin as well, and plugins hold their weights. "
        "Each call takes one batch (b1, b32) of tiles of 64 x 64, x4; columns as below.",
        "",
        markdown(HEADER, [_engine(row)[: len(HEADER)] for row in found["engines"]]),
        "",
        f"- A tile takes the student {significant(student['device_ms'], 3)} ms, "
        f"{_times(student, rival, 'device_ms')} times ESPCN (FP32: its FP16 engine for one tile "
        "was not built in this run).",
        f"- On {few['multiprocessors']} multiprocessors of that GPU, as many as an Orin Nano has, "
        f"{significant(few['device_ms'], 3)} ms at {few['sm_mhz'][1]:.0f} MHz "
        f"({significant(whole['device_ms'], 3)} ms on all {whole['multiprocessors']}); if the time "
        f"grew with the clock alone, {significant(eight['scaled_ms'], 3)} ms at "
        f"{eight['scaled_to_mhz']} MHz. **A simulation, no board.** "
        "`python benchmarks/tensorrt/eight_sms.py ENGINE`; "
        "[raw](results/tensorrt/eight_sms_plugin.json).",
        f"- {student['built_at_once']} engines were built at once, which is more than the machine "
        "bears: build times say nothing.",
        *(f"- **Fault, cause not known:** {name}: {why}." for name, why in found["failed"].items()),
        "- The student of these rows is the one that shipped before the present one: the same "
        "without turns and without depthwise convolutions.",
        "",
    ]


def _engines(found: Json) -> list[str]:
    header = list(HEADER)
    header += [f"{name} dB / SSIM" for name in SETS] + ["same file in ONNX Runtime"]
    rows = [_engine(row) for row in found["engines"]]
    by_name = {row["name"]: row for row in found["engines"]}
    student = by_name["student_fp16_plugin"]
    compact = by_name["student_fp16_compact"]
    rival = by_name["espcn_fp16"]
    lines = [
        "## Student and ESPCN",
        "",
        "One tile of 64 x 64 a call, x4, batch 1; medians. *Device* is the GPU's own clock, "
        "copies not counted; *host to host* is from array to array. *Verified* is the PSNR on five "
        "patches between the engine and ONNX Runtime with the same file.",
        "",
        markdown(header, rows),
        "",
        f"- The student in FP16 with the plugin takes {significant(student['device_ms'], 3)} ms a "
        f"tile on the GPU, {_times(student, rival, 'device_ms')} times ESPCN; without the plugin "
        f"{significant(compact['device_ms'], 3)} ms, {_times(compact, student, 'device_ms')} times "
        "as long as with it.",
        "- Builds ran side by side "
        f"({listed(_together(found))}), so build times are those of a shared machine."
        + _warm(found),
        "",
        "### What is not as it should be",
        "",
    ]
    return [*lines, *_faults(found, rival), ""]


def _together(found: Json) -> list[str]:
    counts = sorted({row["built_at_once"] for row in found["engines"]}, reverse=True)
    names = {n: [r["name"] for r in found["engines"] if r["built_at_once"] == n] for n in counts}
    return [f"{n} at a time: {', '.join(names[n])}" for n in counts]


def _warm(found: Json) -> str:
    warm = [row["name"] for row in found["engines"] if row["timing_cache"] == "warm"]
    return f" A timing cache of an earlier build was there for {listed(warm)}." if warm else ""


def _times(row: Json, other: Json, key: str) -> str:
    return f"{row[key] / other[key]:.1f}"


def _is_wrong(row: Json) -> bool:
    found = row["verification"]
    return found is not None and found["psnr_db"] < LIMIT_DB


def _faults(found: Json, rival: Json) -> list[str]:
    lines = []
    for row in filter(_is_wrong, found["engines"]):
        checked = row["verification"]
        lines.append(
            f"- The engine of `{row['network']}` is {checked['psnr_db']:.1f} dB from ONNX Runtime "
            f"(worst patch {checked['worst_patch']}, {checked['worst_psnr_db']:.1f} dB). **It was "
            "ONNX Runtime that was wrong**, version 1.23.2: of the functions that mixers of "
            "several directions had under one name it ran the last for all. Functions have names "
            "of their own since. The whole engine was not verified again yet."
        )
    students = [row for row in found["engines"] if row["network"] == "student"]
    over = [row for row in students if row["layer_count"] > LAYERS_ASKED[row["plugin"]]]
    told = [
        f"{row['name']} has {row['layer_count']} of {LAYERS_ASKED[row['plugin']]}" for row in over
    ]
    if told:
        lines.append(f"- More layers than were aimed at: {listed(told)}.")
    slow = [
        row for row in students if row["build_s"] > rival["build_s"] and row["precision"] == "fp16"
    ]
    told = [f"{row['name']} {_times(row, rival, 'build_s')} times" for row in slow]
    if told:
        lines.append(f"- FP16 engines build longer than ESPCN's: {listed(told)}.")
    unverified = [row["name"] for row in found["engines"] if row["verification"] is None]
    if unverified:
        lines.append(f"- Not verified in this run: {listed(unverified)}.")
    return lines


def _engine(row: Json) -> list[str]:
    checked = row["verification"]
    verified = NONE if checked is None else f"{checked['psnr_db']:.1f}"
    return [
        row["name"],
        significant(row["device_ms"], 3),
        significant(row["host_ms"], 3),
        str(row["layer_count"]),
        f"{row['build_s']:.0f}",
        f"**{verified}**" if _is_wrong(row) else verified,
        *(score_cell(_score(row, "tensorrt", name)) for name in SETS),
        ", ".join(score_cell(_score(row, "onnxruntime", name)) for name in SETS)
        if row["scores"]["onnxruntime"]
        else NONE,
    ]


def _score(row: Json, backend: str, name: str) -> Json | None:
    found = row["scores"][backend] or []
    return next((item for item in found if item["set"] == name), None)


def _again() -> list[str]:
    return [
        "## How to repeat it",
        "",
        "On a machine with an NVIDIA GPU, TensorRT, nvcc and TensorRT's headers, for each file and "
        "once more for the student with `--no-plugin`:",
        "",
        "    edgesr build-engine -m MODEL.onnx --board gpu -o work/MODEL.engine",
        "    edgesr verify MODEL.onnx work/MODEL.engine",
        "    edgesr eval -m MODEL.onnx --backend tensorrt --data SETS --json",
        "    python benchmarks/tensorrt/engine_times.py work --out "
        "benchmarks/results/tensorrt/engines_h200.json",
        "    python benchmarks/tensorrt/mixer_kernel.py --builds all --out "
        "benchmarks/results/tensorrt/mixer_kernel_h200.json",
        "    python benchmarks/tensorrt/tensorrt_page.py",
        "",
        "What `eval` prints goes into work/MODEL.tensorrt.json, and with `--backend onnxruntime` "
        "into work/MODEL.onnxruntime.json. The kernel needs torch with CUDA and no TensorRT. The "
        "times before and after of a call were taken with both versions of the session in one "
        "process; today's alone is *host to host* of engine_times.py. Raw results: "
        "[engines](results/tensorrt/engines_h200.json), "
        "[channels last](results/tensorrt/engines_channels_last_h200.json), "
        "[kernel](results/tensorrt/mixer_kernel_h200.json), "
        "[calls](results/tensorrt/host_to_host_h200.json). This page is made from them by the "
        "last command; a test fails when they differ. `benchmarks/tensorrt/engine_table.py` "
        "measures all networks, with power.",
        "",
    ]


def committed() -> str:
    """Return the page of the committed results."""
    return page(*map(read, PARTS))


if __name__ == "__main__":
    write_text(PAGE, committed())
