"""What `train` and `distill` share: their options, and how they show a run."""

import json as json_format
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgesr.cli._console import progress, say
from edgesr.cli._signals import stop_on_signals

if TYPE_CHECKING:
    from edgesr.train.config import TrainConfig
    from edgesr.train.loop import Result
    from edgesr.train.record import Row

_BAR = 1000  # the bar moves in thousandths of the run, which has steps, a duration, or both

Data = Annotated[Path, typer.Option(help="Folder of HR pictures, searched recursively.")]
Out = Annotated[
    Path, typer.Option(help="Folder that the weights, checkpoints and metrics are written to.")
]
Scale = Annotated[
    int,
    typer.Option(
        help="How many times wider and higher the enlarged picture (HR) is than the small one (LR)."
    ),
]
Batch = Annotated[
    int, typer.Option(help="Number of patches in a training step, over all processes together.")
]
Patch = Annotated[int, typer.Option(help="Side of the square LR patches to train on, in pixels.")]
PatchesPerImage = Annotated[
    int | None,
    typer.Option(
        help="Patches cut from a picture each time it is drawn (the paper: 8). "
        "Default: one patch at a time, from pictures drawn in proportion to their "
        "area."
    ),
]
Degradation = Annotated[
    str,
    typer.Option(
        help="How LR patches are made from HR: bicubic (made smaller), or photo (also "
        "blurred, resized, noisy and saved as JPEG)."
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        help="Number of training steps of the whole run. Default: 10000, unless "
        "--duration-s is given."
    ),
]
DurationS = Annotated[
    float | None,
    typer.Option(
        help="Seconds that the whole run may take; the learning rate then follows the clock."
    ),
]
TimeLimitS = Annotated[
    float | None,
    typer.Option(
        help="Stop this command after so many seconds, with a checkpoint that --resume "
        "goes on from."
    ),
]
Lr = Annotated[
    float, typer.Option(help="Highest learning rate, reached at the end of the warm-up.")
]
LrMin = Annotated[
    float, typer.Option(help="Learning rate at the end of the run, with --schedule cosine.")
]
Schedule = Annotated[
    str,
    typer.Option(
        help="How the learning rate falls: cosine (smoothly to --lr-min), or "
        "milestones (halved at each of --milestones)."
    ),
]
Milestones = Annotated[
    str,
    typer.Option(
        help="Where --schedule milestones halves the learning rate, as shares of the "
        "run from 0 to 1, separated by commas."
    ),
]
Warmup = Annotated[
    int,
    typer.Option(
        help="Number of steps at the start in which the learning rate rises from 0 to --lr."
    ),
]
Optimizer = Annotated[str, typer.Option(help="Optimizer that changes the weights: adamw or adam.")]
WeightDecay = Annotated[
    float,
    typer.Option(
        help="Weight decay of matrices and kernels; 0.05 keeps values small enough for "
        "FP16 and INT8."
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        help="Number format to train in: bf16 (autocast), fp32, or auto, which is bf16 "
        "on a GPU and fp32 on a CPU."
    ),
]
RandomStart = Annotated[
    bool,
    typer.Option(
        "--random-start",
        help="Start a new network from random weights; without this it starts as a "
        "plain interpolation of the picture.",
    ),
]
Loss = Annotated[
    str,
    typer.Option(
        help="Loss between output and HR patch: l1, l2, charbonnier, or l1-fourier (l1 "
        "of pixels and of their spectra)."
    ),
]
ClipNorm = Annotated[
    float,
    typer.Option(
        help="Largest norm of the gradient; larger ones are scaled down to it. 0 sets no limit."
    ),
]
Ema = Annotated[
    float,
    typer.Option(
        help="Decay of the moving average of the weights (EMA), which is what is "
        "saved; 0 saves the weights themselves."
    ),
]
Seed = Annotated[
    int, typer.Option(help="Seed of all that is random: initial weights, patches and degradation.")
]
Weights = Annotated[
    Path | None,
    typer.Option(
        help="File of weights to start from; of a network for another scale, all but "
        "the enlarging layers are taken."
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on from the checkpoint in the folder of the run, or begin where there is none.",
    ),
]
CheckpointEvery = Annotated[
    int, typer.Option(help="Number of steps from one checkpoint to the next.")
]
Validate = Annotated[
    Path | None,
    typer.Option(
        help="Folder of a benchmark set, such as Set5, on which PSNR is measured during the run."
    ),
]
ValidateEvery = Annotated[
    int, typer.Option(help="Number of steps from one measurement on --validate to the next.")
]
LogEvery = Annotated[
    int, typer.Option(help="Number of steps from one row of metrics.csv to the next.")
]
Cache = Annotated[
    Path | None,
    typer.Option(
        help="Folder in which decoded pictures and a teacher's outputs are kept for "
        "the next run too. Default: they are kept in memory."
    ),
]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic",
        help="Make a run give the same weights, bit for bit, when it is repeated on "
        "the same kind of GPU; takes longer.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(help="Device to train on: cuda, cuda:1 or cpu. Default: cuda where there is one."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


DEFAULT_STEPS = 10_000


def configure(
    given: dict[str, Any], teacher: tuple[Path, str | None, float, float] | None = None
) -> "TrainConfig":
    """Make the configuration of the options, which are named as its fields are.

    Args:
        given: every option of a command; `json` is left out.
        teacher: weights, network name, alpha and weight of the feature affinity.

    Raises:
        ConfigError: a value that cannot be.
    """
    from edgesr.errors import ConfigError
    from edgesr.train.config import Distillation, TrainConfig

    fields = {name: value for name, value in given.items() if name != "json"}
    try:
        fields["milestones"] = tuple(float(at) for at in fields["milestones"].split(",") if at)
    except ValueError as error:
        raise ConfigError(
            "must be numbers separated by commas", where="--milestones", fix="--milestones 0.5,0.75"
        ) from error
    if fields["steps"] is None and fields["duration_s"] is None:
        fields["steps"] = DEFAULT_STEPS
    if teacher is not None:
        fields["distillation"] = Distillation(*teacher)
    return TrainConfig(**fields)


class _Screen:
    """Shows a run: a bar on a terminal, one line a validation in a pipe."""

    def __init__(self, advance: Callable[..., None], wants_stop: Callable[[], bool]) -> None:
        self._advance = advance
        self.wants_stop = wants_stop  # Ctrl-C and SIGTERM end a run with a checkpoint
        self._shown = 0
        self._notes: dict[str, str] = {}

    def decoded(self, pictures: int, of: int) -> None:
        """Show how far the decoding is."""
        self._prepared("decoding", pictures, of)

    def taught(self, pictures: int, of: int) -> None:
        """Show how far the teacher is with the pictures."""
        self._prepared("teacher's pictures:", pictures, of)

    def _prepared(self, what: str, pictures: int, of: int) -> None:
        """Show it behind the bar, which does not move yet.

        Raises:
            EdgesrError: Ctrl-C or SIGTERM came; there is no state yet that could be kept.
        """
        from edgesr.errors import EdgesrError

        if self.wants_stop():
            raise EdgesrError("stopped before the first step, while pictures were prepared")
        self._advance(0, f"{what} {pictures} of {of}")

    def said(self, line: str) -> None:
        """Print on standard error: standard output is the result's."""
        say(line, err=True)

    def stepped(self, done: float, row: "Row | None") -> None:
        """Move the bar; in a pipe, print rows that hold a validation."""
        if row is not None:
            self._notes |= {"step": f"step {row.step}", "loss": f"loss {row.loss:.5f}"}
            if row.psnr_y_db is not None:
                self._notes["psnr"] = f"PSNR {row.psnr_y_db:.2f} dB"
                if not sys.stderr.isatty():
                    self.said(_line(row))
        at = int(done * _BAR)
        self._advance(at - self._shown, " ".join(self._notes.values()))
        self._shown = at


def _line(row: "Row") -> str:
    power = "" if row.power_w is None else f"  {row.power_w:.0f} W"
    return (
        f"step {row.step}  loss {row.loss:.5f}  lr {row.lr:.2e}  PSNR-Y {row.psnr_y_db:.3f} dB"
        f"  {row.images_per_s:.0f} images/s{power}  {row.elapsed_s:.0f} s"
    )


def run(config: "TrainConfig", json: bool) -> None:
    """Train with a bar, draw the curves, say where everything is."""
    # Pictures are degraded in as many threads as there are cores; more in each would wait for one
    # another. It counts only before NumPy is first imported, which is below.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from edgesr.train.loop import train

    first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started
    bar = progress("training", _BAR) if first else nullcontext(_nothing)
    with bar as advance, stop_on_signals() as wants_stop:
        result = train(config, _Screen(advance, wants_stop))
    if first:
        _report(config, result, _draw_curves(config), json)


def _nothing(steps: int = 1, note: str = "") -> None:
    """Stand where a bar would."""


def _draw_curves(config: "TrainConfig") -> Path | None:
    from edgesr.errors import MissingError
    from edgesr.train.curves import draw

    path = config.out / "curves.svg"
    try:
        draw(config.out / "metrics.csv", path)
    except MissingError as error:
        say(f"no curves drawn: {error}", err=True)  # the numbers are in metrics.csv
        return None
    return path


def _report(config: "TrainConfig", result: "Result", curves: Path | None, json: bool) -> None:
    if json:
        document = {
            "format": "edgesr-train/1",
            "step": result.step,
            "finished": result.finished,
            "psnr_y_db": result.psnr_y_db,
            "weights": str(result.weights),
            "checkpoint": str(result.checkpoint),
            "metrics": str(config.out / "metrics.csv"),
            "curves": None if curves is None else str(curves),
        }
        say(json_format.dumps(document, indent=2))
        return
    psnr = "" if result.psnr_y_db is None else f", PSNR-Y {result.psnr_y_db:.3f} dB"
    state = "finished" if result.finished else "stopped; go on with --resume"
    say(f"step {result.step}: {state}{psnr}")
    say(f"weights: {result.weights}")
