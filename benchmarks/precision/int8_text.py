"""The page of an INT8 measurement: int8.md in results/precision/, from int8.json there.

python -m benchmarks.precision.int8_text
"""

import json
from typing import Any

from benchmarks.shared.commands import parser_of
from benchmarks.shared.folders import RESULTS
from benchmarks.shared.markdown import markdown
from edgesr.export.int8 import METHOD
from edgesr.export.smooth import MIGRATION
from edgesr.files import write_text

PLACE = RESULTS / "precision"
SETS = ("Set5", "Set14")


def page(report: dict[str, Any]) -> str:
    """Return the page."""
    weights, patterns = report["weights"], report["operations"][0]["hard_db"]
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    return "\n".join(
        [
            f"# INT8 of {report['network']}",
            "",
            f"Weights {weights['file']}, SHA-256 {weights['sha256'][:8]}; ONNX Runtime on a CPU "
            f"({report['machine']}); {versions}.",
            "",
            f"    {report['command']}",
            "",
            "*Loss* is PSNR of Y lost against fp32 on Set5 / Set14. *To fp32* is the PSNR between "
            "the two outputs on the same sets. *Worst tile* is the same on the worst middle of "
            f"BSD100's pictures, *worst pattern* on the worst of {', '.join(patterns)}. *Pairs* "
            "are QuantizeLinear nodes, *mults* multiplications in int8. The machine did other work "
            "too: of seconds and milliseconds only those far apart differ.",
            "",
            "## Which operations",
            "",
            _judged(report["operations"], ("operations",)),
            "",
            "## How ranges are found, on what, and with channels how alike",
            "",
            "The chosen operations, the rest in fp32. *Smoothing* is the share of the differences "
            "between the channels of a value that moves into the weights "
            "(edgesr/export/smooth.py). "
            f"The exporter does {METHOD} on all bundled tiles, synthetic ones among them, with "
            f"{MIGRATION}: without the synthetic tiles patterns are spoilt, without smoothing "
            "photographs pay for it. From 0.8 to 1.0 no row is better in every column. Percentile, "
            "a little better, keeps every value of every tile in memory, too much for large tiles.",
            "",
            _judged(report["ranges"], ("method", "tiles", "smoothing")),
            "",
            "## Which quantiser",
            "",
            "All bundled tiles, the smoothed graph. *Asked for*: which operations the quantiser "
            "was told to take; told nothing, ModelOpt quantises sums and products inside the scan "
            "too, and fails with entropy: the bins of its histograms, as fine as the first tile "
            "asks, are too many for the others. The exporter uses ONNX Runtime's: "
            f"{_at_equal_operations(report['quantisers'])}it is installed anyway, "
            "while ModelOpt needs other versions of onnx and onnxruntime, and CuPy.",
            "",
            _judged(report["quantisers"], ("quantiser", "asked for", "method", "rest")),
            "",
            "## What the files cost",
            "",
            _files(report["files"]),
            "",
            "Engines are TensorRT for RTX's for all GPUs it knows, built without one and never "
            "run: their size says nothing about a Jetson. With its optimisations ONNX Runtime is "
            f"{report['files'][-1]['optimised_to_plain_db']} dB from the nodes of the int8 file "
            "one by one: what lies between two int8 values goes either way.",
            "",
        ]
    )


def _at_equal_operations(rows: list[dict[str, Any]]) -> str:
    """Say what both quantisers lose on the same multiplications; nothing without ModelOpt."""
    last, *before = reversed(rows)
    peers = [
        row
        for row in before
        if (row["quantiser"], row["asked for"], row["method"], row["rest"])
        == ("ModelOpt", "chosen", "max", last["rest"])
    ]
    if not peers:
        return ""
    losses = [row["loss_db"][SETS[0]] for row in (last, peers[0])]
    return f"at equal operations ({last['multiplications']}) it loses {losses[0]:.3f} dB on " + (
        f"{SETS[0]} where ModelOpt loses {losses[1]:.3f}, and "
    )


def _judged(rows: list[dict[str, Any]], labels: tuple[str, ...]) -> str:
    head = (*labels, "mults", "pairs", "loss dB", "to fp32 dB", "worst tile", "worst pattern", "s")
    cells = [
        (
            *(row[label] for label in labels),
            row["multiplications"],
            row["pairs"],
            " / ".join(f"{row['loss_db'][name]:.3f}" for name in SETS),
            " / ".join(f"{row['to_fp32_db'][name]:.1f}" for name in SETS),
            row["worst_tile_db"],
            min(row["hard_db"].values()),
            row["seconds"],
        )
        for row in rows
    ]
    return markdown(head, [[str(cell) for cell in row] for row in cells], len(labels))


def _files(rows: list[dict[str, Any]]) -> str:
    head = ("precision", "ONNX kB", "ONNX Runtime ms a tile", "engine MB", "engine layers")
    cells = [
        (
            row["precision"],
            round(row["file_bytes"] / 1e3),
            row["onnxruntime_ms"],
            round(row["engine_bytes"] / 1e6, 1),
            row["engine_layers"],
        )
        for row in rows
    ]
    return markdown(head, [[str(cell) for cell in row] for row in cells])


def main() -> None:
    """Write the page."""
    parser_of(__doc__).parse_args()
    write_text(PLACE / "int8.md", page(json.loads((PLACE / "int8.json").read_text())))


if __name__ == "__main__":
    main()
