"""The part of benchmarks/TENSORRT.md about engines that were built again after a change."""

from typing import Any

from benchmarks.shared.markdown import listed, markdown
from benchmarks.tensorrt.calls import where
from edgesr.bench.text import significant

Json = dict[str, Any]


def later_lines(found: Json, before: Json, alone: Json, scores: Json) -> list[str]:
    """Return the section.

    Args:
        found: a result of engine_times.py, of the student and ESPCN as edgesr builds them since.
        before: one of the same networks, of an earlier edgesr.
        alone: one of the student in both forms and ESPCN, whose scans keep one shape since.
        scores: PSNR-Y of the student's engines of `found`, and of ONNX Runtime.
    """
    now = {row["name"]: row for row in found["engines"]}
    then = {row["name"]: row for row in before["engines"]}
    half, rival = now["compact_fp16"], now["espcn_fp16"]
    full, was = now["espcn_fp32"], then["espcn_fp32_b1"]
    header = ["engine", "device ms", "host to host ms", "layers", "parse s", "build s", "dB"]
    rows = [
        [
            row["name"],
            significant(row["device_ms"], 3),
            significant(row["host_ms"], 3),
            str(row["layer_count"]),
            f"{row['parse_s']:.2f}",
            f"{row['build_s']:.1f}",
            f"{row['verification']['psnr_db']:.1f}",
        ]
        for row in found["engines"]
    ]
    return [
        "## Built again",
        "",
        f"On {where(found)}, all five at once with no timing cache and nothing else on the GPU. "
        "The scan without the plugin is written for fewer layers here, with the skip in the "
        "projection's product and a norm's mean in a product of its own, and an engine in FP32 is "
        "no longer searched for overflow after every call.",
        "",
        markdown(header, rows),
        "",
        f"- Without the plugin the student in FP16 has {half['layer_count']} layers "
        f"({then['student_fp16_compact_b1']['layer_count']} before; 500 were aimed at), of which "
        f"{sum(half['layers']['NoOp'].values())} do nothing, and takes "
        f"{significant(half['device_ms'], 3)} ms "
        f"({significant(then['student_fp16_compact_b1']['device_ms'], 3)} before).",
        f"- Its build takes {_ratio(half, rival)} times ESPCN's in FP16 beside the three others, "
        "among them the same scan in FP32.",
        f"- A call of ESPCN takes {significant(full['host_ms'], 3)} ms from array to array in FP32 "
        f"({significant(was['host_ms'], 3)} before; 0.15 were aimed at) and "
        f"{significant(rival['host_ms'], 3)} ms in FP16.",
        f"- {_loss(scores)}",
        *_alone(alone),
        "",
    ]


def _alone(found: Json) -> list[str]:
    by_name = {row["name"]: row for row in found["engines"]}
    rival = by_name["espcn_fp16_b1"]
    lines = [
        "- Since then all that a scan computes of its steps stays in one shape, which has one "
        f"layout. So built on {where(found)}, {rival['built_at_once']} at once with nothing else "
        "on that GPU and no timing cache (other GPUs of the machine built other engines), ESPCN in "
        f"FP16 takes {rival['build_s']:.1f} s, and the student in FP16:",
    ]
    for name, form in (("plugin", "with the plugin"), ("compact", "without it")):
        row = by_name[f"student_fp16_{name}_b1"]
        lines.append(
            f"  - {form} {row['build_s']:.1f} s, {_ratio(row, rival)} times ESPCN's, "
            f"{row['parse_s']:.2f} s of it parsing: {row['layer_count']} layers, "
            f"{significant(row['device_ms'], 3)} ms, {row['verification']['psnr_db']:.1f} dB"
            f"{'. 3 times was aimed at.' if name == 'compact' else ';'}"
        )
    return lines


def _ratio(ours: Json, rival: Json) -> str:
    return f"{ours['build_s'] / rival['build_s']:.2f}"


def _loss(scores: Json) -> str:
    """Return what the engines lose on the benchmark sets, by the worst set of each."""
    found = scores["psnr_y_db"]
    base = found["onnxruntime"]
    lost = {name: max(base[s] - found[name][s] for s in base) for name in found}
    each = listed([f"{lost[name]:.3f} dB ({name})" for name in ("plugin_fp16", "compact_fp16")])
    sets = listed([f"{value:.2f} on {name}" for name, value in base.items()])
    return (
        f"Against ONNX Runtime in FP32 ({sets}) the student in FP16 (file "
        f"{scores['onnx_sha256'][:8]}) loses at most {each} on any of the sets."
    )
