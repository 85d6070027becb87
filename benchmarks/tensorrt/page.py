"""The page benchmarks/TENSORRT.md, from what the other scripts of this folder wrote.

python -m benchmarks.tensorrt.page
"""

import json
from typing import Any

from benchmarks.shared.commands import parser_of
from benchmarks.shared.folders import BENCHMARKS, RESULTS
from benchmarks.shared.markdown import listed, markdown, score_cell
from benchmarks.tensorrt.calls import call_lines, kernel_lines, where
from benchmarks.tensorrt.later import later_lines
from edgesr.bench.text import NONE, significant
from edgesr.files import sha256, write_text
from edgesr.verify import LIMIT_DB
from edgesr.weights import shipped

PLACE = RESULTS / "tensorrt"
PAGE = BENCHMARKS / "TENSORRT.md"
PARTS = (
    "engines_student_h200",
    "table_h200",
    "eight_sms_plugin",
    "mixer_kernel_h200",
    "host_to_host_h200",
    "engines_compact_h200",
    "engines_alone_h200",
    "engine_scores_h200",
)
"""The results that the page is made from, in the order of `page`."""
SETS = ("Set5", "Set14")
LAYERS_ASKED = {True: 200, False: 500}
"""The most layers that an engine of the student shall have, with and without the plugin."""
HOST_MS_ASKED = 0.15
"""The most that a call of ESPCN shall take from array to array."""
Json = dict[str, Any]


def read(name: str) -> Json:
    """Return a committed result."""
    found: Json = json.loads((PLACE / f"{name}.json").read_text())
    return found


def page(
    engines: Json,
    table: Json,
    eight: Json,
    kernel: Json,
    calls: Json,
    later: Json,
    alone: Json,
    scores: Json,
) -> str:
    """Return the page.

    Args:
        engines: a result of engine_times.py, of the student and ESPCN.
        table: a result of engine_table.py, of the same engines among others.
        eight: a result of eight_sms.py, of one of these.
        kernel: a result of mixer_kernel.py.
        calls: times of a call from array to array, before and after it became one launch.
        later: a result of engine_times.py of engines that a later edgesr built.
        alone: one of three engines that were built with nothing beside them on their GPU.
        scores: PSNR-Y of engines of `later` on the benchmark sets.
    """
    return "\n".join(
        [
            *_head(engines),
            *_engines(engines, table),
            *_builds(engines),
            *_faults(engines),
            *later_lines(later, engines, alone, scores),
            *_few(eight),
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
        "a board. All networks of Table I, with watts and joules, are in "
        "[README.md](README.md#table_h200-one-nvidia-h200-tensorrt-853).",
        "",
    ]


def _engines(found: Json, table: Json) -> list[str]:
    header = ["engine", "device ms", "host to host ms", "layers", "parse s", "build s"]
    header += ["verified dB"]
    by_name = _by_name(found)
    ours, full = by_name["student_fp16_plugin_b1"], by_name["student_fp32_plugin_b1"]
    compact, pinned = by_name["student_fp16_compact_b1"], by_name["student_pin"]
    rival = by_name["espcn_fp16_b1"]
    return [
        "## Student and ESPCN",
        "",
        "One call of a batch (b1, b32) of tiles of 64 x 64, x4; medians, nothing else on the GPU. "
        "*Device* is the GPU's own clock, copies not counted; *host to host* is from array to "
        "array. *Verified* is the PSNR on five patches between the engine and ONNX Runtime with "
        "the same file.",
        "",
        markdown(header, [_engine(row) for row in found["engines"]]),
        "",
        f"- The student in FP16 with the plugin takes {significant(ours['device_ms'], 3)} ms a "
        f"tile on the GPU, {_times(ours, rival, 'device_ms')} times ESPCN, and "
        f"{significant(full['device_ms'], 3)} ms in FP32; without the plugin "
        f"{significant(compact['device_ms'], 3)} ms, {_times(compact, ours, 'device_ms')} times "
        "as long as with it.",
        "- student_pin is student_fp16_plugin_b1 as edgesr builds it since: a convolution of fewer "
        "input channels than a pack stays FP32, as one gave values that are not finite (eSR and "
        f"eSR-fast, batch 32). It takes {significant(pinned['device_ms'], 3)} ms, with "
        f"{pinned['verification']['psnr_db']:.1f} dB.",
        f"- {_quality(table)}",
        *_weights(table),
        "",
    ]


def _quality(table: Json) -> str:
    """Return what the engines of the student score, and how close they are to ONNX Runtime."""
    rows = [r for r in table["runs"]["1"]["networks"] if r["name"].startswith("student")]
    cells = {
        ", ".join(f"{score_cell(r['quality'][name])} on {name}" for name in SETS) for r in rows
    }
    verified = {f"{e['name']}, {e['batch']}": e["verified_db"] for e in table["engines"]}
    exact = verified["student fp32 plugin, 1"]
    return (
        f"Through each of the {len(rows)} engines of one tile the student has "
        f"{listed(sorted(cells))} (dB / SSIM); in FP32 an engine is {exact:.1f} dB from ONNX "
        "Runtime, whose scores are the same."
    )


def _weights(table: Json) -> list[str]:
    row = next(r for r in table["runs"]["1"]["networks"] if r["name"].startswith("student"))
    now = sha256(shipped("student", 4, "safetensors"))
    if now == row["weights_sha256"]:
        return []
    return [
        f"- The student's weights are {row['weights_sha256'][:8]}; those that ship since, "
        f"{now[:8]}, have the same shape, and with it the same layers and times."
    ]


def _builds(found: Json) -> list[str]:
    """Tell of the engines that were built side by side and without an earlier timing cache."""
    by_name = _by_name(found)
    first = [row for row in found["engines"] if row["batch"] == 1 and row["timing_cache"] == "cold"]
    ours, compact = by_name["student_fp16_plugin_b1"], by_name["student_fp16_compact_b1"]
    half, full = by_name["espcn_fp16_b1"], by_name["espcn_fp32_b1"]
    told = [
        f"{row['build_s']:.1f} s {what}, {row['build_s'] / half['build_s']:.2f} times ESPCN in "
        f"FP16 and {row['build_s'] / full['build_s']:.2f} times ESPCN in FP32"
        for row, what in ((ours, "with the plugin"), (compact, "without"))
    ]
    return [
        f"The {len(first)} engines of one tile but student_pin were built side by side, with no "
        "other build on the GPU and no timing cache. The student in FP16 takes "
        f"{'; '.join(told)}. Parsing takes {ours['parse_s']:.2f} s and {compact['parse_s']:.2f} s "
        "of that.",
        "",
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
        "no board.** `python -m benchmarks.tensorrt.eight_sms ENGINE`; "
        "[raw](results/tensorrt/eight_sms_plugin.json).",
        "",
    ]


def _by_name(found: Json) -> dict[str, Json]:
    return {row["name"]: row for row in found["engines"]}


def _times(row: Json, other: Json, key: str) -> str:
    return f"{row[key] / other[key]:.1f}"


def _is_wrong(row: Json) -> bool:
    found = row["verification"]
    return found is not None and found["psnr_db"] < LIMIT_DB


def _faults(found: Json) -> list[str]:
    lines = ["### What is not as it should be", ""]
    for row in filter(_is_wrong, found["engines"]):
        checked = row["verification"]
        lines.append(
            f"- **{row['name']} is {checked['psnr_db']:.1f} dB from ONNX Runtime** (worst patch "
            f"{checked['worst_patch']}, {checked['worst_psnr_db']:.1f} dB)."
        )
    students = [row for row in found["engines"] if row["network"] == "student"]
    for row in students:
        asked = LAYERS_ASKED[row["plugin"]]
        if row["layer_count"] > asked:
            kinds = {kind: sum(count.values()) for kind, count in row["layers"].items()}
            lines.append(
                f"- {row['name']} has {row['layer_count']} layers of {asked} that were aimed at; "
                f"{kinds.get('NoOp', 0)} of them do nothing and {kinds.get('Constant', 0)} are "
                "constants."
            )
    rivals = [row for row in found["engines"] if row["network"] == "espcn"]
    told = [f"{significant(row['host_ms'], 3)} ms in {row['precision'].upper()}" for row in rivals]
    if max(row["host_ms"] for row in rivals) > HOST_MS_ASKED:
        lines.append(
            f"- A call of ESPCN takes {listed(told)} from array to array; {HOST_MS_ASKED} ms were "
            "aimed at."
        )
    unverified = [row["name"] for row in found["engines"] if row["verification"] is None]
    if unverified:
        lines.append(f"- Not verified in this run: {listed(unverified)}.")
    lines.append(
        "- An engine of an earlier student with turns was 29.0 dB from ONNX Runtime, which was "
        "wrong: of several functions under one name ONNX Runtime 1.23.2 ran the last for all, so "
        "each has a name of its own since."
    )
    return [*lines, ""]


def _engine(row: Json) -> list[str]:
    checked = row["verification"]
    verified = NONE if checked is None else f"{checked['psnr_db']:.1f}"
    return [
        row["name"],
        significant(row["device_ms"], 3),
        significant(row["host_ms"], 3),
        str(row["layer_count"]),
        f"{row['parse_s']:.2f}",
        f"{row['build_s']:.1f}" + (" (warm)" if row["timing_cache"] == "warm" else ""),
        f"**{verified}**" if _is_wrong(row) else verified,
    ]


def _again() -> list[str]:
    return [
        "## How to repeat it",
        "",
        "On a machine with an NVIDIA GPU, TensorRT, nvcc and TensorRT's headers; SETS holds Set5 "
        "and Set14:",
        "",
        "    python -m benchmarks.tensorrt.engine_table measure --name table_h200 --sets SETS "
        "--work work",
        "    python -m benchmarks.tensorrt.engine_times work --built-at-once 5 --out "
        "benchmarks/results/tensorrt/engines_student_h200.json",
        "    python -m benchmarks.tensorrt.eight_sms work/student_fp16_plugin_b1.engine -o "
        "benchmarks/results/tensorrt/eight_sms_plugin.json",
        "    python -m benchmarks.tensorrt.mixer_kernel --builds steps4 --out "
        "benchmarks/results/tensorrt/mixer_kernel_h200.json",
        "    python -m benchmarks.tensorrt.engine_table render",
        "    python -m benchmarks.tensorrt.page",
        "",
        "The kernel needs torch with CUDA and no TensorRT. The times before and after of a call "
        "were taken with both versions of the session in one process; today's alone is *host to "
        "host* of engine_times.py. Raw results: "
        "[engines](results/tensorrt/engines_student_h200.json), "
        "[table](results/tensorrt/table_h200.json), "
        "[kernel](results/tensorrt/mixer_kernel_h200.json), "
        "[calls](results/tensorrt/host_to_host_h200.json), "
        "[built again](results/tensorrt/engines_compact_h200.json), "
        "[three alone](results/tensorrt/engines_alone_h200.json), "
        "[scores](results/tensorrt/engine_scores_h200.json). This page is made from them by "
        "the last command; a test fails when they differ.",
        "",
    ]


def committed() -> str:
    """Return the page of the committed results."""
    return page(*map(read, PARTS))


def main() -> None:
    """Write the page."""
    parser_of(__doc__).parse_args()
    write_text(PAGE, committed())


if __name__ == "__main__":
    main()
