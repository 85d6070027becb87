"""Finished runs as they lie under results/training/: their scores, log and config.json."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.shared.results import compress, read_content
from benchmarks.training.runs import RESULT
from edgesr.bench.packed import packed
from edgesr.files import make_folder, write_bytes, write_json
from edgesr.train.record import parse_metrics, read_metrics

Json = dict[str, Any]
Rows = Sequence[dict[str, float]]

METRICS = "metrics.csv"
"""The log of a run; under results/training/ it is compressed."""

_PATHS = ("data", "out", "validate", "cache", "weights")


@dataclass(frozen=True)
class Span:
    """What one row of metrics.csv covers.

    Attributes:
        steps: iterations.
        seconds: that they took.
        power_w: mean power of the GPU meanwhile; None where none was read.
    """

    steps: float
    seconds: float
    power_w: float | None


@dataclass(frozen=True)
class Finished:
    """A run that is over.

    Attributes:
        result: result.json; empty for a run without scores.
        invocations: of config.json: options, versions, pictures.
        rows: of metrics.csv.
    """

    result: Json
    invocations: Sequence[Json]
    rows: Rows

    @property
    def config(self) -> Json:
        """The options of the last invocation."""
        config: Json = self.invocations[-1]["config"]
        return config

    @property
    def precision(self) -> str:
        """The type of its forward passes."""
        asked, gpu = self.config["precision"], self.invocations[-1]["versions"]["gpu"]
        return "bfloat16" if asked == "bf16" or (asked == "auto" and gpu) else "float32"

    @property
    def machine(self) -> str:
        """What it was trained on, in words."""
        gpu, torch = (self.invocations[-1]["versions"][key] for key in ("gpu", "torch"))
        return f"{gpu or 'a CPU'}, torch {torch}, {self.precision}"

    @property
    def setting(self) -> str:
        """Machine and pictures, in words."""
        last = self.invocations[-1]
        return (
            f"{self.machine}; {last['pictures']:,} pictures of a patch or more in a folder of "
            f"{last['hr_megapixels']:,.0f} megapixels"
        )

    @property
    def psnr_y_db(self) -> list[tuple[float, float]]:
        """(iteration, dB) of every validation."""
        return [(row["step"], row["psnr_y_db"]) for row in self.rows if _is(row["psnr_y_db"])]

    @property
    def power_by_step(self) -> list[tuple[float, float]]:
        """(iteration, W): means since the row before."""
        return [(row["step"], row["power_w"]) for row in self.rows if _is(row["power_w"])]

    @property
    def spans(self) -> list[Span]:
        """What the rows cover, without the first of each invocation: kernels are compiled in it."""
        begun = {invocation["from_step"] for invocation in self.invocations}
        spans = []
        before = 0.0
        for row in self.rows:
            if before not in begun:
                steps = row["step"] - before
                seconds = steps * self.config["batch"] / row["images_per_s"]
                spans.append(Span(steps, seconds, row["power_w"] if _is(row["power_w"]) else None))
            before = row["step"]
        return spans

    @property
    def step_ms(self) -> float | None:
        """Mean time of an iteration, validation and checkpoints left out."""
        steps = sum(span.steps for span in self.spans)
        return 1e3 * sum(span.seconds for span in self.spans) / steps if steps else None

    @property
    def power_w(self) -> float | None:
        """Mean power of the GPU while iterating, weighted by time; None where none was read."""
        read = [(span.power_w, span.seconds) for span in self.spans if span.power_w is not None]
        seconds = sum(span_s for _, span_s in read)
        return sum(watts * span_s for watts, span_s in read) / seconds if read else None

    @property
    def step_energy_j(self) -> float | None:
        """Mean energy of an iteration; None where no power was read."""
        power_w, step_ms = self.power_w, self.step_ms
        return None if power_w is None or step_ms is None else power_w * step_ms / 1e3


def _is(value: float) -> bool:
    return not math.isnan(value)  # an empty field of metrics.csv


def _metrics(folder: Path) -> list[dict[str, float]]:
    """Return the rows of a log: of a run's own folder, or compressed as `collect` keeps it."""
    kept = packed(folder / METRICS)
    if kept.is_file():
        return parse_metrics(read_content(kept).decode().splitlines())
    return read_metrics(folder / METRICS)


def read_run(folder: Path) -> Finished | None:
    """Return a finished run, None where there is no result."""
    if not (folder / RESULT).is_file():
        return None
    return Finished(
        json.loads((folder / RESULT).read_text()),
        json.loads((folder / "config.json").read_text())["invocations"],
        _metrics(folder),
    )


def read_log(folder: Path) -> Finished:
    """Return the log of a run of `edgesr train`, which leaves no scores."""
    record = json.loads((folder / "config.json").read_text())
    return Finished({}, record["invocations"], _metrics(folder))


def collect(run: Path, target: Path, names: Sequence[str] = (RESULT, METRICS)) -> Path:
    """Copy what a run measured, without its weights and without paths of the machine.

    Args:
        run: its folder.
        target: made if missing.
        names: files to copy beside config.json.
    """
    make_folder(target)
    for name in names:
        write_bytes(target / name, (run / name).read_bytes())
    compress(target)
    record = json.loads((run / "config.json").read_text())
    for invocation in record["invocations"]:
        config = invocation["config"]
        for key in _PATHS:
            config[key] = None if config.get(key) is None else Path(config[key]).name
        if config["distillation"] is not None:
            config["distillation"]["teacher"] = Path(config["distillation"]["teacher"]).parent.name
    write_json(target / "config.json", record)
    return target
