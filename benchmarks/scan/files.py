"""Processor time of one tile by several ONNX files, over the first of them.

    git show 4db42a1:edgesr/weights/student_x4.onnx > before.onnx
    python -m benchmarks.scan.files before.onnx edgesr/weights/student_x4.onnx

One thread of ONNX Runtime, the files in turns, processor time: what else runs on the machine
disturbs all of them alike. Ratios are what to quote. Writes benchmarks/results/scan/files.json.
"""

import os
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.scan.cost import TILE, cpu_name, run_in_turns
from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.shared.folders import RESULTS
from benchmarks.shared.results import write_result
from edgesr.errors import DataError
from edgesr.files import sha256

OUTPUT = RESULTS / "scan/files.json"


def measure(paths: list[Path], runs: int) -> list[dict[str, object]]:
    """Return a row for each file.

    Raises:
        DataError: a file is no ONNX file.
        OSError: a file cannot be read.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        models = [onnx.load_model_from_string(path.read_bytes()) for path in paths]
    except DecodeError as error:
        names = ", ".join(path.name for path in paths)
        raise DataError("one is not an ONNX file, or a damaged one", where=names) from error
    cpu_ms = run_in_turns(models, runs, 1, time.process_time)
    return [
        {
            "file": path.name,
            "onnx_sha256": sha256(path),
            "cpu_ms": round(float(ms), 2),
            "ratio": round(float(ms / cpu_ms[0]), 3),
        }
        for path, ms in zip(paths, cpu_ms, strict=True)
    ]


def main() -> None:
    """Measure, print the table and write it."""
    parser = parser_of(__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    args = parser.parse_args()
    load = os.getloadavg()[0]
    with errors_in_one_line():
        rows = measure(args.files, args.runs)
        document = {
            "protocol": f"one {TILE}x{TILE} tile, one thread, median processor time of "
            f"{args.runs} runs, files in turns",
            "machine": f"{cpu_name()}, {os.cpu_count()} cores, load {load:.1f} at the start; "
            f"onnxruntime {version('onnxruntime')}",
            "rows": rows,
        }
        write_result(args.output, document)
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
