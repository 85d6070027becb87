"""What a run leaves for its reader: metrics.csv row by row, config.json once an invocation."""

import csv
import io
import json
import math
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from edgesr.decode import read_json
from edgesr.errors import ConfigError, EdgesrError
from edgesr.files import write_json, write_text
from edgesr.train.config import TrainConfig
from edgesr.version import __version__

FORMAT = "edgesr-run/1"


@dataclass(frozen=True)
class Log:
    """What config.json holds.

    Attributes:
        format: name and version of this format.
        invocations: what `record_invocation` wrote, the first one first.
    """

    format: str
    invocations: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class MetricsRow:
    """Means since the row before.

    Attributes:
        step: optimizer steps taken.
        loss: training loss.
        lr: learning rate of the last step.
        grad_norm: global norm of the gradient before clipping.
        psnr_y_db: validation of the averaged weights, where it was due.
        images_per_s: patches per second, validation and checkpoints left out.
        power_w: GPU power of process 0's device by NVML, where there is one.
        elapsed_s: wall time of the run over all invocations.
    """

    step: int
    loss: float
    lr: float
    grad_norm: float
    psnr_y_db: float | None
    images_per_s: float
    power_w: float | None
    elapsed_s: float


COLUMNS = [field.name for field in fields(MetricsRow)]


class MetricsFile:
    """metrics.csv of a run.

    Args:
        path: the file.
        step: rows after this step are dropped: they come from a run that was killed after its
            last checkpoint, and will be made again.
    """

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        kept = [row for row in read_metrics(path) if row["step"] <= step]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([_shown(row[name]) for name in COLUMNS] for row in kept)
        write_text(path, text.getvalue())

    def add(self, row: MetricsRow) -> None:
        """Append one row.

        Raises:
            EdgesrError: the disk is full.
        """
        values = [_shown(value) for value in asdict(row).values()]
        try:
            with self._path.open("a", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow(values)
        except OSError as error:
            raise EdgesrError(f"cannot write ({error.strerror})", where=self._path) from error


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Return the rows of a metrics.csv; an empty field is NaN, a torn last line is left out.

    Raises:
        ConfigError: it is none.
    """
    if not path.is_file():
        return []
    try:
        with path.open(newline="") as file:
            return parse_metrics(file)
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise ConfigError(
            "is no table of a training run", where=path, fix="another -o, or move the file away"
        ) from error


def parse_metrics(lines: Iterable[str]) -> list[dict[str, float]]:
    """Return the rows of a metrics.csv from its lines, as `read_metrics` does.

    Raises:
        ValueError: a field is no number.
        KeyError: a column is missing.
        csv.Error: it is no table.
    """
    rows = [row for row in csv.DictReader(lines) if None not in row.values()]
    return [{name: float(row[name] or "nan") for name in COLUMNS} for row in rows]


def _shown(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return f"{value:.9g}"


def record_invocation(path: Path, config: TrainConfig, step: int, notes: dict[str, Any]) -> None:
    """Append this invocation to config.json: its options, where it began, on what it runs.

    Raises:
        ConfigError: the config.json that is there is none of a run.
    """
    fix = "another -o, or move the file away"
    known = read_json(path, Log, ConfigError, fix, FORMAT).invocations if path.is_file() else ()
    entry = {"from_step": step, **notes, "versions": versions(), "config": plain(config)}
    write_json(path, {"format": FORMAT, "invocations": [*known, entry]})


def plain(config: TrainConfig) -> dict[str, Any]:
    """Return the configuration as JSON holds it."""
    result: dict[str, Any] = json.loads(json.dumps(asdict(config), default=str))
    return result


def versions() -> dict[str, str | None]:
    """Return the versions that a training run depends on."""
    gpu = torch.cuda.is_available()
    return {
        "edgesr": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "gpu": torch.cuda.get_device_name() if gpu else None,
    }
