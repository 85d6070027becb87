"""Training runs of a benchmark, one after another: trained to the end or to a time limit, scored.

For tables.py and shapes/student.py. The loop is edgesr.train's; what is added here is that
a folder of runs can be gone on with after a kill, and shared among several GPUs.
"""

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from edgesr.errors import ConfigError, DataError
from edgesr.files import sha256, write_json

if TYPE_CHECKING:
    from edgesr.train.config import TrainConfig
    from edgesr.train.record import MetricsRow

Json = dict[str, Any]
Item = TypeVar("Item")

SCHEMA = "edgesr-training/1"
RESULT = "result.json"
VALIDATION = "Set5"


def say(line: str) -> None:
    """Tell what goes on, on standard error."""
    print(line, file=sys.stderr, flush=True)


class Deadline:
    """The end of an invocation.

    Args:
        limit_s: seconds from now; None: none.
        asked: tells whether the user wants to stop.
    """

    def __init__(self, limit_s: float | None, asked: Callable[[], bool]) -> None:
        self._end = None if limit_s is None else time.monotonic() + limit_s
        self.asked = asked

    @property
    def left_s(self) -> float | None:
        """Seconds left, at least a moment; None without a limit."""
        return None if self._end is None else max(1e-3, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether no further run should begin."""
        late = self._end is not None and time.monotonic() >= self._end
        return late or self.asked()


@dataclass(frozen=True)
class Lines:
    """Watches a run: a line a validation.

    Attributes:
        name: of the run.
        wants_stop: whether to stop now, with a checkpoint.
    """

    name: str
    wants_stop: Callable[[], bool]

    def decoded(self, pictures: int, of: int) -> None:
        """Tell every hundredth picture."""
        if pictures % 100 == 0:
            say(f"decoded {pictures} of {of}")

    def taught(self, pictures: int, of: int) -> None:
        """Tell every hundredth picture of the teacher."""
        if pictures % 100 == 0:
            say(f"the teacher enlarged {pictures} of {of}")

    def said(self, line: str) -> None:
        """Tell it."""
        say(f"{self.name}: {line}")

    def stepped(self, done: float, row: "MetricsRow | None") -> None:
        """Tell of a validation."""
        if row is not None and row.psnr_y_db is not None:
            power = "" if row.power_w is None else f", {row.power_w:.0f} W"
            say(
                f"{self.name}: step {row.step}, {100 * done:.0f} %, loss {row.loss:.5f}, "
                f"{row.psnr_y_db:.2f} dB, {row.images_per_s:.0f} patches/s{power}"
            )


@contextmanager
def decoded_once(cache: Path | None) -> Iterator[Path]:
    """Yield the folder for decoded pictures: `cache`, or one for the life of this process."""
    if cache is not None:
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="edgesr-pixels-") as folder:
        yield Path(folder)


def share(items: Sequence[Item], part: str) -> list[Item]:
    """Return every N-th item from the I-th on, for a part written `I/N`.

    Raises:
        ConfigError: it is not written so.
    """
    first, _, of = part.partition("/")
    if not (first.isdigit() and of.isdigit() and int(first) < int(of)):
        raise ConfigError(f"'{part}' is no part", where="--part", fix="--part 0/2 and --part 1/2")
    return list(items[int(first) :: int(of)])


def open_score_sets(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the sets of `names` that are in `folder`; the one of the validation must be.

    Raises:
        DataError: it is not.
    """
    if not (folder / VALIDATION / "HR").is_dir():
        raise DataError(f"holds no {VALIDATION}/HR", where=folder, fix="--sets FOLDER_OF_SETS")
    return [folder / name for name in names if (folder / name).is_dir()]


def is_finished(folder: Path) -> bool:
    """Tell whether a run has its result."""
    return (folder / RESULT).is_file()


def finish(config: "TrainConfig", sets: Sequence[Path], deadline: Deadline) -> bool:
    """Train a run, or go on with it; at its end write its scores and drop its checkpoint.

    Args:
        config: of the run; `out` is its folder.
        sets: folders of the sets to score on, whole pictures, float32.
        deadline: stops it with a checkpoint.

    Returns:
        Whether the run is over.

    Raises:
        EdgesrError: what edgesr.train.loop.train raises.
    """
    import torch

    from edgesr.models import get_network
    from edgesr.models.network import parameter_count
    from edgesr.train.loop import train

    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()  # a run places its pictures by the memory that is free
    limited = replace(config, resume=True, time_limit_s=deadline.left_s)
    result = train(limited, Lines(config.out.name, deadline.asked))
    if not result.finished:
        say(f"{config.out.name}: stopped at step {result.step}; the same command goes on")
        return False
    network = get_network(config.model).module(config.scale)
    found = {
        "schema": SCHEMA,
        "run": config.out.name,
        "network": config.model,
        "parameters": parameter_count(network),
        "steps": result.step,
        "weights_sha256": sha256(result.weights),
        "scores": score(config.model, result.weights, sets, config.device),
    }
    write_json(config.out / RESULT, found)
    result.checkpoint.unlink(missing_ok=True)  # nothing is left to go on with
    return True


def score(model: str, weights: Path, sets: Sequence[Path], device: str | None) -> dict[str, Json]:
    """Return set -> PSNR and SSIM as `edgesr eval --weights` finds them, with those of bicubic."""
    from edgesr.evaluate.datasets import open_sets
    from edgesr.evaluate.evaluate import evaluate
    from edgesr.evaluate.model import EvaluationRequest, open_evaluated

    scores = {}
    with open_evaluated(EvaluationRequest(model, weights, device=device)) as subject:
        for benchmark in open_sets(sets, subject.scale):
            done = evaluate(model, subject.run, subject.enlarge, benchmark)
            found = {**done.score.to_json(), **done.bicubic.to_json("bicubic_")}
            scores[benchmark.name] = {
                "images": len(done.images),
                **{key: None if value is None else round(value, 5) for key, value in found.items()},
            }
    return scores
