"""INT8 of a network: which operations, which ranges, which quantiser; by PSNR in ONNX Runtime.

    python -m benchmarks.precision.int8 --sets SETS --photos PHOTOS --modelopt MODELOPT/bin/python

SETS holds Set5, Set14 and BSD100, PHOTOS is a folder of photographs that are none of theirs;
int8_modelopt.py says how MODELOPT is made (left out, ModelOpt is not measured). Every graph runs as
users run it, in tiles; `loss_db` is the PSNR of Y it loses on a set, `to_fp32_db` its PSNR to the
output of the fp32 graph over a set's pictures, `worst_tile_db` that of the worst middle of BSD100's
pictures, `hard_db` that of tiles no photograph has. Writes int8.json and int8.md in
results/precision/.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, inliner, version_converter

from benchmarks.precision.int8_judge import SCALE, TILE, Judge, Row, quantised
from benchmarks.precision.int8_text import PLACE, page
from benchmarks.scan.cost import build_engine, cpu_name, run_in_turns
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.export import int8
from edgesr.export.calibration import calibration_for
from edgesr.export.exporter import ExportRequest, export
from edgesr.export.lower import define_mixers
from edgesr.export.parity import run_tiles
from edgesr.export.projection import give_back_projections
from edgesr.export.smooth import MIGRATION, smooth
from edgesr.files import write_json, write_text
from edgesr.imaging.patches import real_tiles
from edgesr.imaging.psnr import psnr_db

RUNS = 20
METHODS = ("MinMax", "Percentile", "Entropy")
MIGRATIONS = (0.5, 0.8, 0.9, 1.0)


def main() -> None:
    """Measure, print every row as it comes, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--modelopt", type=Path)
    parser.add_argument("--network", default="student")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--output", type=Path, default=PLACE / "int8.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        graphs, manifest = export_all(options, Path(folder))
        judge = Judge(graphs["fp32"], manifest, options.sets)
        tables = {
            "operations": [judge(*row) for row in operations(graphs["fp16"])],
            "ranges": [judge(*row) for row in ranges(graphs["fp32"], options.photos)],
            "quantisers": [judge(*row) for row in quantisers(graphs, options.modelopt)],
            "files": files(graphs),
        }
    assert manifest.parent is not None  # it was exported from weights
    report = {
        "command": "python -m benchmarks.precision.int8 --sets SETS --photos PHOTOS "
        "--modelopt PYTHON",
        "network": options.network,
        "weights": {"file": manifest.parent.file, "sha256": manifest.parent.sha256},
        "machine": cpu_name(),
        "versions": {
            name: version(name) for name in ("onnxruntime", "onnx", "torch", "tensorrt-rtx-cu12")
        }
        | ({} if options.modelopt is None else {"modelopt": modelopt_version(options.modelopt)}),
        **tables,
    }
    write_json(options.output, report)
    write_text(options.output.with_suffix(".md"), page(report))


def export_all(
    options: argparse.Namespace, folder: Path
) -> tuple[dict[str, ModelProto], OnnxManifest]:
    """Export the network in every precision, as users do; return the graphs and fp32's manifest."""
    graphs = {}
    for precision in ("fp32", "fp16", "int8"):
        path = folder / f"{precision}.onnx"
        export(
            ExportRequest(
                options.network, options.weights, precision, TILE, scale=SCALE, output=path, batch=1
            )
        )
        graphs[precision] = give_back_projections(onnx.load(path))  # as INT8 is made of it
    return graphs, OnnxManifest.read(folder / "fp32.onnx")


def operations(graph: ModelProto) -> Iterator[tuple[Row, Callable[[], ModelProto]]]:
    """Yield INT8 graphs by what is quantised."""
    widths = {tensor.name: min(tensor.dims[:2], default=0) for tensor in graph.graph.initializer}
    chosen = set(int8.worth_quantising(graph.graph))
    every = int8.multiplications(graph.graph)
    first, *_, last = every
    kinds: dict[str, set[str]] = {"first convolution": {first}, "last convolution": {last}}
    for name, node in every.items():
        if name in chosen:
            kind = "projections" if node.op_type == "MatMul" else "inner convolutions"
        elif widths[node.input[1]] < int8.NARROW:
            kind = "narrow ones"
        else:
            kind = "others"
        if name not in (first, last):
            kinds.setdefault(kind, set()).add(name)
    outside = ("first convolution", "last convolution", "narrow ones")
    groups = dict(kinds)
    groups["projections and inner convolutions (chosen)"] = chosen
    groups |= {f"chosen and {kind}": chosen | kinds[kind] for kind in outside if kind in kinds}
    groups["all"] = set(every)
    for kind, names in groups.items():
        yield {"operations": kind}, partial(quantise, graph, names)


def ranges(graph: ModelProto, photos: Path) -> Iterator[tuple[Row, Callable[[], ModelProto]]]:
    """Yield INT8 graphs by how ranges are found, on which tiles, and how channels are smoothed."""
    bundled = calibration_for(None, TILE).tiles
    more = calibration_for(photos, TILE).tiles
    tiles = {
        "bundled photographs": real_tiles(TILE),
        "bundled": bundled,
        "bundled and photos": more,
        "photos": more[len(bundled) :],
    }
    rows: list[tuple[str, str, float | None]] = [
        *((int8.METHOD, label, None) for label in ("bundled photographs", "bundled")),
        *((int8.METHOD, "bundled", migration) for migration in MIGRATIONS),
        *((method, "bundled", MIGRATION) for method in METHODS if method != int8.METHOD),
        *((int8.METHOD, label, MIGRATION) for label in tiles if label != "bundled"),
    ]
    for method, label, migration in rows:
        row: Row = {"method": method, "tiles": label, "smoothing": migration or "none"}
        yield row, partial(quantise, graph, (), tiles[label], method, migration)


def quantise(
    graph: ModelProto,
    names: Iterable[str] = (),
    tiles: NDArray[np.float32] | None = None,
    method: str = int8.METHOD,
    migration: float | None = MIGRATION,
) -> ModelProto:
    """Quantise with ONNX Runtime; by default what, on what and how the exporter does."""
    tiles = calibration_for(None, TILE).tiles if tiles is None else tiles
    return int8.to_int8(graph, tiles, 1, tuple(names), migration, method)[0]


def quantisers(
    graphs: dict[str, ModelProto], python: Path | None
) -> Iterator[tuple[Row, Callable[[], ModelProto]]]:
    """Yield INT8 graphs of ONNX Runtime and of ModelOpt, at equal operations and as it comes.

    Both quantise the smoothed graph, with ranges from the bundled tiles.
    """
    names = int8.worth_quantising(graphs["fp32"].graph)
    for rest in ("fp32", "fp16"):
        label: Row = {
            "quantiser": "ONNX Runtime",
            "method": "MinMax",
            "rest": rest,
            "asked for": "chosen",
        }
        yield label, partial(quantise, graphs[rest])
    if python is None:
        return
    # As the exporter does: the conversion drops functions.
    newer = define_mixers(version_converter.convert_version(graphs["fp32"], int8.OPSET))
    whole = smooth(newer, names, calibration_for(None, TILE).tiles, 1)
    # ModelOpt's conversion to float16 takes a function for a plugin of TensorRT.
    smoothed = inliner.inline_local_functions(whole)
    only: Row = {"op_types_to_quantize": list(int8.KINDS)}
    chosen: Row = {**only, "nodes_to_quantize": [f"^{name}$" for name in names]}
    taken: list[str] = []
    for asked, method, rest, more in (
        ("nothing", "max", "fp32", {}),  # no entropy: int8_text.py says why
        ("Conv and MatMul", "max", "fp32", only),
        ("chosen", "max", "fp32", chosen),
        ("chosen", "entropy", "fp32", chosen),
        ("chosen", "max", "fp16", chosen),
    ):
        settings = {"calibration_method": method, "high_precision_dtype": rest, **more}

        def make(settings: Row = settings) -> ModelProto:
            model = run_modelopt(python, smoothed, settings)
            taken[:] = quantised(model)
            return model

        label = {"quantiser": "ModelOpt", "method": method, "rest": rest, "asked for": asked}
        yield label, make
    label = {"quantiser": "ONNX Runtime", "method": "MinMax", "rest": "fp32"}
    yield (
        label | {"asked for": "what ModelOpt took of chosen"},
        partial(quantise, smoothed, taken, migration=None),
    )


def run_modelopt(python: Path, graph: ModelProto, settings: Row) -> ModelProto:
    """Quantise with ModelOpt in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        source, target, tiles = (str(Path(folder) / name) for name in ("a.onnx", "b.onnx", "t.npy"))
        onnx.save(graph, source)
        np.save(tiles, calibration_for(None, TILE).tiles)
        script = str(Path(__file__).with_name("int8_modelopt.py"))
        subprocess.run(
            [str(python), script, source, target, tiles, json.dumps(settings)],
            check=True,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
        )
        return onnx.load(target)


def files(graphs: dict[str, ModelProto]) -> list[Row]:
    """Return what each precision costs, bytes, time and engine, and what int8 leaves open."""
    times = run_in_turns(list(graphs.values()), RUNS, 2, time.perf_counter)
    rows = []
    for (precision, model), milliseconds in zip(graphs.items(), times, strict=True):
        rows.append(
            {
                "precision": precision,
                "file_bytes": model.ByteSize(),
                "onnxruntime_ms": round(float(milliseconds), 1),
                **build_engine(model),
            }
        )
    rows[-1]["optimised_to_plain_db"] = round(optimised_to_plain_db(graphs["int8"]), 1)
    return rows


def optimised_to_plain_db(model: ModelProto) -> float:
    """Return the PSNR between what ONNX Runtime makes of a graph and its nodes one by one."""
    plain = ort.SessionOptions()
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model.SerializeToString(), plain, providers=["CPUExecutionProvider"]
    )
    tiles = real_tiles(TILE)
    exact = np.concatenate([session.run(None, {"lr": tile[None]})[0] for tile in tiles])
    (found,) = run_tiles(model, [tiles], 1)
    return psnr_db(float(np.mean((np.float64(found) - exact) ** 2)))


def modelopt_version(python: Path) -> str:
    """Return the version of ModelOpt in its environment."""
    program = "from importlib.metadata import version; print(version('nvidia-modelopt'))"
    done = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
