"""How `train` and `distill` show a run."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from edgesr.cli._console import progress, say
from edgesr.cli._signals import stop_on_signals

if TYPE_CHECKING:
    from edgesr.train.config import TrainConfig
    from edgesr.train.loop import TrainingResult
    from edgesr.train.record import MetricsRow

_BAR = 1000  # the bar moves in thousandths of the run, which has steps, a duration, or both


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
            NothingYetError: Ctrl-C or SIGTERM came; there is no state yet that could be kept.
        """
        from edgesr.errors import NothingYetError

        if self.wants_stop():
            raise NothingYetError("stopped before the first step, while pictures were prepared")
        self._advance(0, f"{what} {pictures} of {of}")

    def said(self, line: str) -> None:
        """Print on standard error: standard output is the result's."""
        say(line, err=True)

    def stepped(self, done: float, row: "MetricsRow | None") -> None:
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


def _line(row: "MetricsRow") -> str:
    power = "" if row.power_w is None else f"  {row.power_w:.0f} W"
    return (
        f"step {row.step}  loss {row.loss:.5f}  lr {row.lr:.2e}  PSNR-Y {row.psnr_y_db:.3f} dB"
        f"  {row.images_per_s:.0f} images/s{power}  {row.elapsed_s:.0f} s"
    )


def run(config: "TrainConfig", as_json: bool) -> None:
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
        _report(config, result, _draw_curves(config), as_json)


def _nothing(steps: int = 1, note: str = "") -> None:
    """Stand where a bar would."""


def _draw_curves(config: "TrainConfig") -> Path | None:
    from edgesr.errors import MissingError
    from edgesr.train.curves import draw_curves

    path = config.out / "curves.svg"
    try:
        draw_curves(config.out / "metrics.csv", path)
    except MissingError as error:
        say(f"no curves drawn: {error}", err=True)  # the numbers are in metrics.csv
        return None
    return path


def _report(
    config: "TrainConfig", result: "TrainingResult", curves: Path | None, as_json: bool
) -> None:
    if as_json:
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
        say(json.dumps(document, indent=2))
        return
    psnr = "" if result.psnr_y_db is None else f", PSNR-Y {result.psnr_y_db:.3f} dB"
    state = "finished" if result.finished else "stopped; go on with --resume"
    say(f"step {result.step}: {state}{psnr}")
    say(f"weights: {result.weights}")
