"""What was asked of the engines and of the plugin's kernel, and what was found. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.release.readme_table import psnr
from benchmarks.shared.markdown import listed, markdown
from benchmarks.tensorrt.calls import student_kernel
from edgesr.bench.text import significant
from edgesr.files import sha256
from edgesr.weights import shipped

Json = dict[str, Any]
Found = Mapping[str, float]

LAYERS = {True: 200, False: 500}
"""The most layers that an engine of the student shall have, with and without the plugin."""
VERIFIED_DB = 50.0
"""The least PSNR between an engine in FP16 and ONNX Runtime with the same file."""
SETS = ("Set5", "Set14")


@dataclass(frozen=True)
class Figure:
    """A figure that was asked for.

    Attributes:
        what: it is of.
        limit: the most that it shall be, or the least.
        found: what stands behind a figure, such as a precision -> figure; empty: not known.
        unit: with a space before it; none for a ratio or a count.
        form: of each figure, for `format`.
        is_least: the limit is the least.
    """

    what: str
    limit: float
    found: Found
    unit: str = ""
    form: str = ".2f"
    is_least: bool = False

    def row(self) -> list[str]:
        """Return the row of the table; what misses the limit is bold and says so."""
        told = [
            cell(
                f"{value:{self.form}}{self.unit} {which}".rstrip(),
                value < self.limit if self.is_least else value > self.limit,
            )
            for which, value in self.found.items()
        ]
        asked = f"at {'least' if self.is_least else 'most'} {self.limit:g}{self.unit}"
        return [self.what, asked, ", ".join(told) or "**not known**"]


def cell(text: str, is_missed: bool) -> str:
    """Return a figure as a cell has it: where it misses what was asked, bold and called so."""
    return f"**{text}: missed**" if is_missed else text


def asked_lines(results: Mapping[str, Json]) -> list[str]:
    """Return the table of results, which are named as in `page.py`."""
    few = results["eight_sms_plugin"]["eight"]
    simulated = f"{significant(few['device_ms'], 3)} ms, a simulation"
    return [
        "The student's engine of one tile of 64 x 64, x4, with the plugin, which computes a scan "
        "by one kernel, and without it:",
        "",
        markdown(
            ["figure", "asked", "found"],
            [
                *(figure.row() for figure in figures(results)),
                [f"Device time on {few['multiprocessors']} multiprocessors", "-", simulated],
            ],
            3,
        ),
        "",
    ]


def figures(results: Mapping[str, Json]) -> list[Figure]:
    """Return what was asked for, with what the results say."""
    engines = by_name(results["engines_student"])
    ours_us, theirs_us = student_kernel(results["mixer_kernel"])
    kernel = {"in FP32": ours_us / theirs_us}

    def each(name: str, key: str) -> dict[str, float]:
        rows = {kind: engines.get(f"{name.format(kind)}_b1") for kind in ("fp16", "fp32")}
        return {f"in {kind.upper()}": row[key] for kind, row in rows.items() if row is not None}

    plugin, compact, espcn = "student_{}_plugin", "student_{}_compact", "espcn_{}"
    plugin_ms, espcn_ms = each(plugin, "device_ms"), each(espcn, "device_ms")
    verified = {
        name: row["verification"]["psnr_db"]
        for name, row in engines.items()
        if row["precision"] == "fp16"
    }
    return [
        *_builds(by_name(results["engines_alone"])),
        Figure("Layers, with the plugin", LAYERS[True], each(plugin, "layer_count"), form=".0f"),
        Figure("Layers, without it", LAYERS[False], each(compact, "layer_count"), form=".0f"),
        Figure("Device time, with the plugin", 0.6, plugin_ms, " ms", ".3f"),
        Figure("The same, over ESPCN's", 8, {k: ms / espcn_ms[k] for k, ms in plugin_ms.items()}),
        Figure("Device time, without it", 3, each(compact, "device_ms"), " ms", ".3f"),
        Figure("The kernel alone, over the fused Triton mixer", 1, kernel),
        Figure(
            what="PSNR of an FP16 engine to ONNX Runtime",
            limit=VERIFIED_DB,
            found=_worst(verified, min),
            unit=" dB",
            form=".1f",
            is_least=True,
        ),
        Figure(
            what=f"PSNR-Y lost through an engine on {listed(SETS)}",
            limit=0.02,
            found=_worst(lost_db(results["table_gpu"]), max),
            unit=" dB",
            form=".4f",
        ),
        Figure("ESPCN, from array to array", 0.15, each(espcn, "host_ms"), " ms", ".3f"),
    ]


def _builds(alone: Mapping[str, Json]) -> list[Figure]:
    found = []
    espcn_s = alone["espcn_fp16_b1"]["build_s"]
    for form, told, parse_s, times in (
        ("plugin", "with the plugin", 5, 1.5),
        ("compact", "without it", 10, 3),
    ):
        row = alone[f"student_fp16_{form}_b1"]
        found += [
            Figure(f"Parsing, {told}", parse_s, {"in FP16": row["parse_s"]}, " s"),
            Figure(
                f"Whole build over ESPCN's, {told}", times, {"in FP16": row["build_s"] / espcn_s}
            ),
        ]
    return found


def lost_db(table: Json) -> dict[str, float]:
    """Return what the student loses, by engine and set; nothing for weights that do not ship.

    Its scores are compared with those of the shipped file in ONNX Runtime in FP32.
    """
    rows = [row for row in table["runs"]["1"]["networks"] if row["name"].startswith("student")]
    if {row["weights_sha256"] for row in rows} != {sha256(shipped("student", 4, "safetensors"))}:
        return {}
    exact = psnr("student")
    return {  # scores have four decimals; adding 0 makes a zero of -0
        f"{row['name']}, {name}": round(exact[name] - row["quality"][name]["psnr_y_db"], 4) + 0.0
        for row in rows
        for name in SETS
    }


def _worst(found: Found, pick: Callable[..., str]) -> dict[str, float]:
    """Return the least or the most of figures, and where it is; nothing of none."""
    name = pick(found, key=lambda each: found[each]) if found else None
    return {} if name is None else {f"(worst: {name})": found[name]}


def by_name(found: Json) -> dict[str, Json]:
    """Return the rows of a result of engine_times.py by the names of their engines."""
    return {row["name"]: row for row in found["engines"]}
