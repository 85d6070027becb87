"""The blocks of TENSORRT.md about the plugin's kernel and about a call of an engine. Pure."""

from typing import Any

from benchmarks.shared.markdown import listed, markdown
from edgesr.artifacts.plugin import source_sha256
from edgesr.bench.text import significant

SHIPPED = "steps4"
"""The build of mixer_library.py that is shipped."""
WARPS, GROUP = 8, 8
"""Warps of a block and chunks of a group that mixer_launch.cuh takes for the student."""

Json = dict[str, Any]


def where(found: Json) -> str:
    """Return the machine and the day of a result."""
    driver = found["driver"] or "not read"
    return (
        f"one {found['device']} (driver {driver}, {found['cpu_cores']} CPU cores, {found['date']})"
    )


def kernel_lines(found: Json, compiled: Json) -> list[str]:
    """Return the lines about the plugin's kernel.

    Args:
        found: a result of mixer_kernel.py.
        compiled: a result of kernels.py.
    """
    check = found["check"]
    together = check["concurrent"]
    header = ["mixer", "type", "plugin's kernel", "fused Triton mixer"]
    rows = []
    for theirs in found["triton"]:
        name = "student" if theirs["states"] == 1 else "teacher-paper"
        ours = _shipped(found, theirs)
        kind = "float16" if theirs["half"] else "float32"
        setting = "" if ours["warps"] == 0 else f" ({ours['warps']} warps, group {ours['group']})"
        rows.append(
            [name, kind, significant(ours["us"], 3) + setting, significant(theirs["us"], 3)]
        )
    return [
        "## The plugin's kernel",
        "",
        f"Called without TensorRT, on {where(found)}. {check['cases']} mixers of other sizes and "
        "directions against a loop in float64: "
        f"{len(check['failed'])} failed; largest error {check['worst_fp32']:.1e} in float32 and "
        f"{check['worst_fp16']:.1e} in float16, of the largest value of a channel. "
        f"{together['streams']} streams at once, {together['rounds']} rounds: "
        f"{together['different']} outputs with other bits than alone.",
        "",
        f"One tile of 64 x 64 (4,096 tokens), {found['unit']}:",
        "",
        markdown(header, rows, 2),
        "",
        *_age(found),
        f"- {_best(found)}",
        "- The mixer of `teacher-paper` (16 states, 120 channels) is slower in the plugin's kernel "
        "than in Triton; the kernel is made for the student's."
        if _teacher_loses(found)
        else "- The mixer of `teacher-paper`, too, is faster in the plugin's kernel.",
        f"- {_compiled(compiled)}",
        "",
    ]


def student_kernel(found: Json) -> tuple[float, float]:
    """Return microseconds of the student's float32 mixer in the plugin's kernel and in Triton's."""
    theirs = next(row for row in found["triton"] if row["states"] == 1 and not row["half"])
    return _shipped(found, theirs)["us"], theirs["us"]


def _compiled(found: Json) -> str:
    """Return registers of the student's kernel, and whether any kernel spills."""
    sizes = {"type": "float32", "states": 1, "lane_channels": 2, "taps": 4, "vector": True}
    registers, spilling = [], 0
    for capability, gpu in found["gpus"].items():
        own = next(k for k in gpu["kernels"] if all(k[key] == sizes[key] for key in sizes))
        registers.append(f"{own['registers']} on {capability}")
        every = (*gpu["kernels"], *gpu["norms"])
        spilling += sum(k["spill_store_bytes"] + k["spill_load_bytes"] > 0 for k in every)
    return (
        f"The student's kernel in float32 takes registers by compute capability: "
        f"{listed(registers)} (nvcc {found['nvcc']}). Of all kernels for these, {spilling} spill."
    )


def _age(found: Json) -> list[str]:
    if found["source_sha256"] == source_sha256():
        return []
    return [
        "- The plugin's sources have changed since: this is the kernel of "
        f"{found['source_sha256'][:12]}, as `edgesr build-engine` names them, not of today's."
    ]


def _shipped(found: Json, like: Json) -> Json:
    """Return the shipped build's row of these sizes with the settings that a launch takes."""
    rows: list[Json] = [
        row
        for row in found["kernel"]
        if row["build"] == SHIPPED and all(row[key] == like[key] for key in set(like) - {"us"})
    ]
    own = [row for row in rows if (row["warps"], row["group"]) in ((0, 0), (WARPS, GROUP))]
    return own[0]


def _teacher_loses(found: Json) -> bool:
    return all(
        _shipped(found, theirs)["us"] > theirs["us"]
        for theirs in found["triton"]
        if theirs["states"] > 1
    )


def _best(found: Json) -> str:
    tuned = [row for row in found["kernel"] if row["warps"] and not row["half"]]
    best = min(tuned, key=lambda row: row["us"])
    shipped, _ = student_kernel(found)
    own = min((r for r in tuned if r["build"] == SHIPPED), key=lambda row: row["us"])
    return (
        f"Of {len(tuned)} settings for the student in float32 the best is {best['build']} with "
        f"{best['warps']} warps and groups of {best['group']}, {significant(best['us'], 3)} us; "
        f"of the shipped build ({SHIPPED}) {own['warps']} warps and groups of {own['group']}, "
        f"{significant(own['us'], 3)} us. Shipped are {WARPS} warps and groups of {GROUP}, "
        f"{significant(shipped, 3)} us."
    )


FLAGS = {0: "the driver's choice, as edgesr runs", 1: "spinning", 4: "blocking"}


def call_lines(found: Json) -> list[str]:
    """Return the lines about a call, before and after it became one launch."""
    rows = []
    for run in found["runs"]:
        row = [FLAGS[run["context_flags"]]]
        for name in ("old", "new"):
            medians = [run["rows"][f"{name} run, round {i}"]["p50"] for i in (0, 1)]
            row.append(" and ".join(f"{value:.0f}" for value in medians))
        rows.append(row)
    equal = all(all(run["device"]["equal"].values()) for run in found["runs"])
    return [
        "## A call from array to array",
        "",
        f"{found['engine']}, on {where(found)}: medians of 1,000 calls in microseconds, before "
        f"({found['before']}) and after ({found['after']}) a call of one batch became a single "
        "launch with pinned output and a cheaper check for broken tiles; two rounds, in turn. "
        f"Outputs were {'' if equal else 'NOT '}equal bit by bit.",
        "",
        markdown(["how the CPU waits", "before us", "after us"], rows),
        "",
        "- Where the context is told to block, the new way is slower than the old one; edgesr does "
        "not ask for that.",
        "",
    ]
