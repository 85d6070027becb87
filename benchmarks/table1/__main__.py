"""The paper's Tables I and II, measured: quality, size, latency, power and energy of all networks.

    python -m benchmarks.table1 measure --sets SETS --name table1_DEVICE
    python -m benchmarks.table1 render
    python -m benchmarks.table1 agree A.json B.json

`measure` writes benchmarks/results/NAME.json with its .md, .csv and plots, and the raw files of the
bench in NAME_bench/; with --twice, those of a second run in NAME_second_bench/ as well. It can be
stopped and started again: quality that was measured is kept in --work. `render` makes all but the
.json again from it, and the tables of README.md. `agree` says how far the latency ratios of two
results lie apart. SETS is a folder that holds Set5, Set14, BSD100, Urban100, or some of them.
README.md tells how to run it on a Jetson.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.shared import pareto
from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.shared.folders import BENCHMARKS, RESULTS, ROOT
from benchmarks.shared.markdown import fill_blocks
from benchmarks.shared.results import compress
from benchmarks.table1.networks import NETWORKS, SCALE, find_runnables
from benchmarks.table1.text import apart, page, to_csv
from edgesr.errors import DataError
from edgesr.files import write_json, write_text

README = BENCHMARKS / "README.md"
SETS = ("Set5", "Set14", "BSD100", "Urban100")
PLOTS = {"latency_ms": "pareto_ms", "energy_j": "pareto_j"}


def say(line: str) -> None:
    """Tell what goes on, on standard error."""
    print(line, file=sys.stderr, flush=True)


def measure(args: argparse.Namespace) -> None:
    """Measure and write a result."""
    from benchmarks.table1.measuring import ScoreFile, document, measure_cost, measure_quality
    from edgesr.bench.protocol import BenchHooks
    from edgesr.evaluate.datasets import open_sets

    folders = [] if args.sets is None else [args.sets / n for n in SETS if (args.sets / n).is_dir()]
    if args.sets is not None and not folders:
        raise DataError(f"holds none of {', '.join(SETS)}", where=args.sets)
    sets = open_sets(folders, SCALE)
    for folder in (args.work, args.results):
        folder.mkdir(parents=True, exist_ok=True)
    networks, left_out = find_runnables(args.networks, args.weights_dir, args.work, say)
    for name, reason in left_out.items():
        say(f"{name} is left out: {reason}")
    quality = measure_quality(networks, sets, ScoreFile(args.work / "quality.json"), say)
    config = {
        key: getattr(args, key)
        for key in ("samples", "rounds", "warmup", "threads", "power", "window_s", "idle_s")
    }
    folder = args.results / f"{args.name}_bench"
    hooks = BenchHooks(step=say, say=say)
    recording = measure_cost(networks, config, folder, hooks)
    second = None
    if args.twice:
        second = measure_cost(networks, config, args.results / f"{args.name}_second_bench", hooks)
    found = document(args.name, command(args), networks, left_out, sets, quality, recording, second)
    write_json(args.results / f"{args.name}.json", found)
    for raw in args.results.glob(f"{args.name}*_bench"):
        compress(raw)
    for path in render_one(args.results / f"{args.name}.json"):
        say(f"wrote {path}")
    print(page(found))


def command(args: argparse.Namespace) -> str:
    """Return the command line, without paths of this machine."""
    words = ["python -m benchmarks.table1 measure", f"--name {args.name}"]
    words += ["--sets SETS"] if args.sets else []
    words += ["--weights-dir WEIGHTS"] if args.weights_dir else []
    words += [f"--networks {' '.join(args.networks)}"] if args.networks != list(NETWORKS) else []
    words += [f"--samples {args.samples} --rounds {args.rounds} --warmup {args.warmup}"]
    words += [f"--threads {args.threads}"] if args.threads else []
    words += [f"--power {args.power}"] if args.power != "auto" else []
    words += ["--twice"] if args.twice else []
    return " ".join(words)


def render_one(path: Path) -> list[Path]:
    """Write everything that follows from a result's JSON, beside it; return the files."""
    document: dict[str, Any] = json.loads(path.read_text())
    written = {path.with_suffix(".md"): page(document), path.with_suffix(".csv"): to_csv(document)}
    for figure, suffix in PLOTS.items():
        drawing = pareto.plot(document, figure)
        target = path.with_name(f"{path.stem}_{suffix}.svg")
        if drawing is None:
            target.unlink(missing_ok=True)
        else:
            written[target] = drawing
    for target, text in written.items():
        write_text(target, text)
    return list(written)


def render(args: argparse.Namespace) -> None:
    """Render all results and fill README.md with them."""
    paths = sorted(args.results.glob("table1_*.json"))
    for path in paths:
        render_one(path)
    pages = {path.stem: page(json.loads(path.read_text())) for path in paths}
    write_text(README, fill_blocks(README.read_text(), pages))


def agree(args: argparse.Namespace) -> None:
    """Compare the latency ratios of two results; exit code 1 if they lie too far apart."""
    first, second = (json.loads(path.read_text()) for path in (args.first, args.second))
    if first["reference"] != second["reference"]:
        raise DataError("the ratios are not over the same network", where=args.second)
    ours, theirs = (
        {name: figures["latency_ratio"] for name, figures in document["cost"].items()}
        for document in (first, second)
    )
    differences = apart(ours, theirs)
    for name, difference in differences.items():
        print(f"{name:16} {ours[name]:.4g}  {theirs[name]:.4g}  {100 * difference:.1f} %")
    worst = max(differences.values())
    print(f"largest difference {100 * worst:.1f} %, allowed {100 * args.within:g} %")
    if worst > args.within:
        sys.exit(1)


def main() -> None:
    """Run one of the commands."""
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("measure")
    measuring.set_defaults(run=measure)
    measuring.add_argument("--name", required=True, help="of the result: table1_DEVICE")
    measuring.add_argument("--sets", type=Path, help="folder of the image sets; none: cost only")
    measuring.add_argument("--weights-dir", type=Path, help="NAME_x4.engine, .onnx, .safetensors")
    measuring.add_argument("--networks", nargs="+", default=list(NETWORKS))
    measuring.add_argument("--work", type=Path, default=ROOT / "engines/table1")
    measuring.add_argument("--samples", type=int, default=500)
    measuring.add_argument("--rounds", type=int, default=10)
    measuring.add_argument("--warmup", type=int, default=5)
    measuring.add_argument("--threads", type=int)
    measuring.add_argument("--power", default="auto", help="as edgesr bench --power")
    measuring.add_argument("--window", dest="window_s", type=float, default=10.0)
    measuring.add_argument("--idle", dest="idle_s", type=float, default=10.0)
    measuring.add_argument("--twice", action="store_true", help="bench again, to show agreement")
    rendering = commands.add_parser("render")
    rendering.set_defaults(run=render)
    for each in (measuring, rendering):
        each.add_argument("--results", type=Path, default=RESULTS / "table1")
    agreeing = commands.add_parser("agree")
    agreeing.set_defaults(run=agree)
    agreeing.add_argument("first", type=Path)
    agreeing.add_argument("second", type=Path)
    agreeing.add_argument("--within", type=float, default=0.05)
    args = parser.parse_args()
    with errors_in_one_line():
        args.run(args)


if __name__ == "__main__":
    main()
