"""Every network of Table I and the student as TensorRT engines on one GPU: dB, ms, W and J.

    python -m benchmarks.tensorrt.engine_table measure --sets SETS --name DEVICE
    python -m benchmarks.tensorrt.engine_table render

`measure` exports what is not in --work (needs torch, unless all ONNX files are there), builds the
engines side by side in processes, verifies each against ONNX Runtime, evaluates SETS/Set5 and
SETS/Set14 through the engines, benches all of a batch in one interleaved run with power, and
upscales a photo. What was made is kept in --work, so a run that was stopped goes on. It writes
results/tensorrt/NAME.json after every step, with the raw files of the benches beside it. `render`
makes NAME.md again from it, and what stands between the marks of NAME in README.md.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.shared.folders import BENCHMARKS, RESULTS, ROOT
from benchmarks.shared.markdown import fill_blocks
from benchmarks.shared.results import compress
from benchmarks.table1.measuring import ScoreFile, document, measure_cost, measure_quality
from benchmarks.table1.networks import SCALE, Runnable
from benchmarks.tensorrt.engine_text import page
from benchmarks.tensorrt.engine_variants import (
    BATCHES,
    NETWORKS,
    Variant,
    build_all,
    edgesr,
    export_missing,
    variants,
)
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.bench.protocol import BenchHooks
from edgesr.bench.recording import Recording
from edgesr.bench.result import compute
from edgesr.boards.gpu import first_gpu
from edgesr.errors import EngineError
from edgesr.evaluate.datasets import open_sets
from edgesr.files import write_json, write_text

SCHEMA = "edgesr-tensorrt-table/1"
README = BENCHMARKS / "README.md"
SETS = ("Set5", "Set14")
Json = dict[str, Any]


def say(line: str) -> None:
    """Tell what goes on, on standard error."""
    print(line, file=sys.stderr, flush=True)


def measure(args: argparse.Namespace) -> None:
    """Measure and write a result."""
    gpu = first_gpu()
    if gpu is None:
        raise EngineError("the CUDA driver shows no GPU to measure", fix="edgesr doctor")
    for folder in (args.work, args.results):
        folder.mkdir(parents=True, exist_ok=True)
    wanted = variants(args.networks, args.batches)
    export_missing(wanted, args.work, say)
    failed = build_all(wanted, args.work, args.jobs, say)
    built = [variant for variant in wanted if variant not in failed]
    found: Json = {
        "schema": SCHEMA,
        "name": args.name,
        "device": gpu.name,
        "compute_capability": gpu.compute_capability,
        "command": command_line(sys.argv[1:]),
        "remarks": args.remark,
        "engines": [engine_facts(variant, args.work) for variant in built],
        "failed": {f"{v.name}, batch {v.batch}": reason for v, reason in failed.items()},
        "runs": {},
        "photo": None,
    }
    target = args.results / f"{args.name}.json"
    write_json(target, found)
    sets = open_sets([args.sets / name for name in SETS], SCALE) if args.sets else []
    known = ScoreFile(args.work / "quality.json")
    for batch in args.batches:
        networks = [runnable(v, args.work) for v in built if v.batch == batch]
        if not networks:
            continue
        config = {"samples": args.samples, "rounds": args.rounds, "warmup": 20, "batch": batch}
        config |= {"power": args.power, "window_s": args.window_s, "idle_s": args.idle_s}
        raw = args.results / f"{args.name}_b{batch}_bench"
        recording = measure_cost(networks, config, raw, BenchHooks(step=say, say=say))
        compress(raw)
        # Quality does not depend on the batch; it is measured once, through the first of them.
        own = sets if batch == args.batches[0] else []
        quality = measure_quality(networks, own, known, say)
        table = document(args.name, found["command"], networks, {}, own, quality, recording)
        found["runs"][str(batch)] = table | {"more": more(table, recording)}
        write_json(target, found)
    first = built[0] if built else None
    if args.photo is not None and first is not None:
        found["photo"] = photo(first, args.work, args.photo)
    write_json(target, found)
    render_one(target)
    print(page(found))


def command_line(words: Sequence[str]) -> str:
    """Return the command with all its options; of a path only the name, which is no machine's."""
    told = [Path(word).name if "/" in word else word for word in words]
    return shlex.join(["python", "-m", "benchmarks.tensorrt.engine_table", *told])


def engine_facts(variant: Variant, work: Path) -> Json:
    """Return what the manifest of a built engine says, as the table needs it."""
    manifest = EngineManifest.read(variant.engine(work))
    return {
        "name": variant.name,
        "batch": variant.batch,
        "build_s": manifest.build_s,
        "layers": {name: dict(types) for name, types in manifest.layers.items()},
        "tensorrt": f"{manifest.tensorrt_module} {manifest.tensorrt}",
        "verified_db": None if manifest.verification is None else manifest.verification.psnr_db,
    }


def runnable(variant: Variant, work: Path) -> Runnable:
    """Return an engine as Table I's benches take it."""
    model = OnnxManifest.read(variant.onnx(work))
    return Runnable(
        name=variant.name,
        file=variant.engine(work),
        weights_sha256=None if model.parent is None else model.parent.sha256,
        parameters=model.parameters,
        multiply_adds=model.multiply_adds_per_tile,
        precision=variant.precision,
        steps=None,
    )


def more(table: Json, recording: Recording) -> Json:
    """Return what Table I has no column for: the GPU's own time, and energy above idle."""
    items = {item.model.label: item for item in compute(recording).models}
    found = {}
    for row in table["networks"]:
        item = items.get(row["file"])
        if item is None:
            continue
        power = item.power
        found[row["name"]] = {
            "device_ms": None if item.device_ms is None else item.device_ms.p50,
            "end_to_end_ms": item.end_to_end_ms.p50,
            "images_per_s": item.images_per_s,
            "dynamic_uncertainty_mw": None if power is None else power.dynamic_uncertainty_mw,
            "net_energy_j": None if power is None else power.net_energy_per_image_j,
            "net_energy_uncertainty_j": (
                None if power is None else power.net_energy_per_image_uncertainty_j
            ),
        }
    return found


def photo(variant: Variant, work: Path, picture: Path) -> Json:
    """Upscale a photograph through an engine, as a user does."""
    target = work / "photo_x4.png"
    target.unlink(missing_ok=True)
    words = ["upscale", str(picture), "-m", str(variant.engine(work)), "-o", str(target)]
    failure = edgesr(words, target.with_suffix(".txt"))
    return {"engine": variant.name, "picture": picture.name, "failure": failure}


def render_one(path: Path) -> None:
    """Write the page of a result beside it."""
    write_text(path.with_suffix(".md"), page(json.loads(path.read_text())))


def render(args: argparse.Namespace) -> None:
    """Render all results of `measure` in a folder, which has others too, and fill README.md."""
    pages = {}
    for path in sorted(args.results.glob("*.json")):
        found = json.loads(path.read_text())
        if found.get("schema") == SCHEMA:
            render_one(path)
            pages[path.stem] = page(found)
    write_text(args.page, fill_blocks(args.page.read_text(), pages))


def main() -> None:
    """Run one of the commands."""
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("measure")
    measuring.set_defaults(run=measure)
    measuring.add_argument("--name", required=True, help="of the result: the device")
    measuring.add_argument("--sets", type=Path, help="folder of Set5 and Set14; none: cost only")
    measuring.add_argument(
        "--remark", action="append", default=[], help="on the run, such as what else the GPU did"
    )
    measuring.add_argument("--photo", type=Path, help="a photograph to upscale")
    measuring.add_argument("--networks", nargs="+", default=list(NETWORKS))
    measuring.add_argument("--batches", nargs="+", type=int, default=list(BATCHES))
    measuring.add_argument("--work", type=Path, default=ROOT / "engines/tensorrt")
    measuring.add_argument("--jobs", type=int, default=12, help="engines that are built at once")
    measuring.add_argument("--samples", type=int, default=1000)
    measuring.add_argument("--rounds", type=int, default=2)
    measuring.add_argument("--power", default="auto", help="as edgesr bench --power")
    measuring.add_argument("--window", dest="window_s", type=float, default=6.0)
    measuring.add_argument("--idle", dest="idle_s", type=float, default=10.0)
    rendering = commands.add_parser("render")
    rendering.set_defaults(run=render)
    rendering.add_argument("--page", type=Path, default=README, help="whose marks are filled")
    for each in (measuring, rendering):
        each.add_argument("--results", type=Path, default=RESULTS / "tensorrt")
    args = parser.parse_args()
    with errors_in_one_line():
        args.run(args)


if __name__ == "__main__":
    main()
