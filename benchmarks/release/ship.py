"""Bring trained weights into the package, with everything that belongs to them.

    python -m benchmarks.release.ship add RUN --sets SETS
    python -m benchmarks.release.ship measure --sets SETS
    python -m benchmarks.release.ship render

`add` takes the weights of RUN, a folder of `edgesr train` or `edgesr distill`, into
edgesr/weights/ in half precision, exports them to ONNX (the network that boards build by default in
FP16 too, so that a board needs no torch), measures the ONNX file as users run it on every set in
the folder SETS, and keeps the figures and the run's log under benchmarks/results/. The model card
beside the weights is begun from a template; of one that is there, only the parts between marks
change. `measure` does that part again for every network in the package, or for those named after
`--only`, and `render` fills the cards again from what is committed.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.release.half_weights import in_half_precision
from benchmarks.release.ship_card import begin_card, card_blocks
from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.shared.folders import RESULTS
from benchmarks.shared.markdown import fill_blocks
from benchmarks.shared.results import read_result, write_result
from benchmarks.training.figures import Line, draw
from benchmarks.training.results import METRICS, collect, read_log
from edgesr.engine.named_model import NETWORK, SCALE
from edgesr.errors import ConfigError, DataError
from edgesr.files import sha256, write_bytes, write_text
from edgesr.weights import FOLDER, shipped_names

SCHEMA = "edgesr-shipped/1"
TILE = 64


@dataclass(frozen=True)
class Place:
    """Where everything of one network lies.

    Attributes:
        name: of the network.
        scale: factor between input and output sides.
        weights: folder of the shipped files.
        results: folder of the committed results.
    """

    name: str
    scale: int
    weights: Path = FOLDER
    results: Path = RESULTS

    @property
    def stem(self) -> str:
        """Name of its files without an ending."""
        return f"{self.name}_x{self.scale}"

    @property
    def quality(self) -> Path:
        """The figures of the shipped ONNX file."""
        return self.results / "release" / f"{self.stem}_eval.json.xz"

    @property
    def log(self) -> Path:
        """Folder of the training run's log."""
        return self.results / "training" / self.stem

    @property
    def card(self) -> Path:
        """The model card."""
        return self.weights / f"{self.stem}.md"

    def file(self, suffix: str) -> Path:
        """Return the shipped file that ends so, without the dot."""
        return self.weights / f"{self.stem}.{suffix}"


def add(run: Path, sets: list[Path], weights: Path = FOLDER, results: Path = RESULTS) -> Place:
    """Ship the weights of a run.

    Args:
        run: folder of a training run.
        sets: benchmark sets, or folders of them.
        weights: folder of the shipped files.
        results: folder of the committed results.

    Raises:
        ConfigError: the network has no short name, so that a file name could not hold it.
        DataError: the folder holds no weights or several, or a set cannot be read.
        EdgesrError: the weights cannot be read or exported.
    """
    from edgesr.evaluate.datasets import open_sets
    from edgesr.export.exporter import ExportRequest, export
    from edgesr.models.checkpoint import load_metadata

    source = _weights_of(run)
    metadata = load_metadata(source)
    place = Place(metadata["network"], int(metadata["scale"]), weights, results)
    if ":" in place.name:
        raise ConfigError(
            "only networks with a short name are shipped", where=place.name, fix="edgesr models"
        )
    open_sets(sets, place.scale)  # so that a wrong folder is known before anything is written
    write_bytes(place.file("safetensors"), in_half_precision(source))
    fp32 = ExportRequest(
        network=place.name,
        weights=place.file("safetensors"),
        tile=TILE,
        scale=place.scale,
        output=place.file("onnx"),
    )
    export(fp32)
    if (place.name, place.scale) == (NETWORK, SCALE):
        half = weights / f"{place.stem}_fp16.onnx"
        export(replace(fp32, precision="fp16", output=half))
    measure(place, sets)
    collect(run, place.log, (METRICS,))
    draw_validation(place.log)
    if not place.card.exists():
        write_text(place.card, begin_card(place.stem))
    render(place)
    return place


def draw_validation(log: Path) -> None:
    """Draw the validation of a run beside its metrics.csv; a run without any gets no drawing."""
    line = Line("validation", read_log(log).psnr_y_db)
    drawing = draw("PSNR-Y in dB", "step", [line])
    if drawing is not None:
        write_text(log / "psnr.svg", drawing)


def measure(place: Place, sets: list[Path]) -> None:
    """Write the figures of the shipped ONNX file on sets, as `edgesr eval` gives them."""
    from edgesr.evaluate.datasets import open_sets
    from edgesr.evaluate.evaluate import evaluate
    from edgesr.evaluate.model import EvaluationRequest, open_evaluated

    with open_evaluated(
        EvaluationRequest(str(place.file("onnx")), backend="onnxruntime")
    ) as subject:
        documents = []
        for benchmark in open_sets(sets, place.scale):
            print(f"{place.stem}: {benchmark.name}", file=sys.stderr, flush=True)
            result = evaluate(place.name, subject.run, subject.enlarge, benchmark)
            documents.append(result.to_json())
    found = {
        "schema": SCHEMA,
        "command": f"edgesr eval -m {place.name} --scale {place.scale} --data SETS --json",
        "onnx_sha256": sha256(place.file("onnx")),
        "sets": documents,
    }
    write_result(place.quality, found)


def render(place: Place) -> None:
    """Fill the parts of a card that are made from files."""
    write_text(place.card, fill_blocks(place.card.read_text(), card_blocks_of(place)))


def card_blocks_of(place: Place) -> dict[str, str]:
    """Return the parts of a card by the names of their marks."""
    log = read_log(place.log)
    manifest, quality = (read_result(path) for path in (place.file("json"), place.quality))
    return card_blocks(manifest, quality, log)


def trained_places(weights: Path = FOLDER, results: Path = RESULTS) -> list[Place]:
    """Return the place of every network in a folder that was trained."""
    places = (Place(name, scale, weights, results) for name, scale in shipped_names(weights))
    return [place for place in places if place.file("safetensors").is_file()]


def _named(places: list[Place], stems: list[str]) -> list[Place]:
    known = {place.stem: place for place in places}
    for stem in stems:
        if stem not in known:
            raise ConfigError("not shipped", where=stem, fix=f"one of {', '.join(known)}")
    return [known[stem] for stem in stems]


def _weights_of(run: Path) -> Path:
    found = sorted(run.glob("*.safetensors"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "no .safetensors file"
        raise DataError(f"not the folder of one training run: {names}", where=run)
    return found[0]


def main() -> None:
    """Run one of the commands."""
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add")
    adding.add_argument("run", type=Path, metavar="RUN", help="folder of a training run")
    measuring = commands.add_parser("measure")
    for each in (adding, measuring):
        each.add_argument("--sets", type=Path, nargs="+", required=True)
    only_help = "such as student_x4; default: every network"
    measuring.add_argument("--only", nargs="+", metavar="NETWORK", help=only_help)
    rendering = commands.add_parser("render")
    for each in (adding, measuring, rendering):
        each.add_argument("--weights-dir", type=Path, default=FOLDER)
        each.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    with errors_in_one_line():
        if args.command == "add":
            print(add(args.run, args.sets, args.weights_dir, args.results).card)
            return
        places = trained_places(args.weights_dir, args.results)
        if args.command == "measure" and args.only:
            places = _named(places, args.only)
        for place in places:
            if args.command == "measure":
                measure(place, args.sets)
            render(place)


if __name__ == "__main__":
    main()
