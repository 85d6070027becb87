"""PSNR of networks for a sweep: measured on a set, or as the card of a shipped network says it."""

import re
from collections.abc import Callable
from pathlib import Path

from edgesr.bench.config import CONTROL, Wanted
from edgesr.errors import Argument, DataError
from edgesr.evaluate.datasets import BenchmarkSet, open_sets
from edgesr.evaluate.evaluate import ImageScores, evaluate
from edgesr.evaluate.model import EvaluationRequest, open_evaluated
from edgesr.files import sha256
from edgesr.sweep.record import Quality
from edgesr.weights import FOLDER

_SET = "Set5"
# Of a card: | Set5 | 5 | 31.83 | 0.8891 | 28.42 / 0.8101 |
_ROW = re.compile(rf"^\| {_SET} \| [0-9]+ \| ([0-9.]+) \| [0-9.]+ \| ([0-9.]+) / ", re.MULTILINE)
_UNKNOWN = "unknown: --data SET measures it"


def open_set(folder: Path, scale: int) -> BenchmarkSet:
    """Open the one set of a folder.

    Raises:
        DataError: it is no set, or holds several.
    """
    sets = open_sets([folder], scale)
    if len(sets) > 1:
        raise DataError(
            f"it holds {len(sets)} sets, and a budget is judged by one",
            where=folder,
            fix=Argument("data", folder / sets[0].name),
        )
    return sets[0]


def measured(
    wanted: Wanted, benchmark: BenchmarkSet, on_image: Callable[[ImageScores], None]
) -> Quality:
    """Return the PSNR of a network on a set, as it upscales on this machine.

    Args:
        wanted: the network, its tile and its runtime.
        benchmark: the set.
        on_image: called after every picture; what it raises ends the measurement.

    Raises:
        EdgesrError: the network cannot be loaded, or a picture cannot be used.
    """
    request = EvaluationRequest(
        wanted.model, scale=benchmark.scale, tile=wanted.tile, backend=wanted.backend
    )
    with open_evaluated(request) as subject:
        found = evaluate(subject.name, subject.run, subject.enlarge, benchmark, on_image)
    where = f"measured on {benchmark.name}, {len(found.images)} images, {subject.run}"
    return Quality(found.score.psnr_y_db, where)


def of_card(onnx_sha256: str | None, scale: int, is_control: bool = False) -> Quality:
    """Return what the card of a shipped network says.

    Args:
        onnx_sha256: of the file that runs, or that its engine was built from.
        scale: factor between input and output sides.
        is_control: bicubic, which every card has beside its network.
    """
    for card in sorted(FOLDER.glob(f"*_x{scale}.md")):
        row = _ROW.search(card.read_text("utf-8"))
        if row is None:
            continue
        if is_control:
            return Quality(float(row[2]), f"{_SET}, MATLAB's bicubic, card {card.name}")
        for file in (card.with_suffix(".onnx"), FOLDER / f"{card.stem}_fp16.onnx"):
            if onnx_sha256 is not None and file.is_file() and sha256(file) == onnx_sha256:
                kind = "" if file.stem == card.stem else " of its float32 form"
                return Quality(float(row[1]), f"{_SET}, card {card.name}{kind}")
    return Quality(None, _UNKNOWN)


def is_control(wanted: Wanted) -> bool:
    """Whether it is the control of every bench."""
    return wanted.model == CONTROL
