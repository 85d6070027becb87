"""The part of benchmarks/TENSORRT.md about engines that were built again after a change."""

from typing import Any

from benchmarks.shared.markdown import markdown
from benchmarks.tensorrt.calls import where
from edgesr.bench.text import significant

Json = dict[str, Any]


def later_lines(found: Json, before: Json) -> list[str]:
    """Return the section.

    Args:
        found: a result of engine_times.py, of the student and ESPCN as edgesr builds them since.
        before: one of the same networks, of an earlier edgesr.
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
        f"On {where(found)}, all five at once with no timing cache; two programs of other work "
        "used the GPU in the first minute. The scan without the plugin is written for fewer "
        "layers here, and an engine in FP32 is no longer searched for overflow after every call.",
        "",
        markdown(header, rows),
        "",
        f"- Without the plugin the student in FP16 has {half['layer_count']} layers "
        f"({then['student_fp16_compact_b1']['layer_count']} before; 500 were aimed at), of which "
        f"{sum(half['layers']['NoOp'].values())} do nothing, and takes "
        f"{significant(half['device_ms'], 3)} ms "
        f"({significant(then['student_fp16_compact_b1']['device_ms'], 3)} before). Its build "
        f"takes {half['build_s'] / rival['build_s']:.1f} times ESPCN's in FP16 (3 were aimed at).",
        f"- A call of ESPCN takes {significant(full['host_ms'], 3)} ms from array to array in FP32 "
        f"({significant(was['host_ms'], 3)} before; 0.15 were aimed at) and "
        f"{significant(rival['host_ms'], 3)} ms in FP16.",
        "- Since then the scan's skip comes out of the projection's product, which is a layer and "
        "two copies less in each mixer by this list of layers. **No engine with that change has "
        "been built by TensorRT 8.5.3 yet.**",
        "",
    ]
