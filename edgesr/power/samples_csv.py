"""Samples as CSV, without loss: what a measurement leaves and its report is recomputed from."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edgesr import files
from edgesr.errors import PowerError
from edgesr.power.log_rows import read_text
from edgesr.power.sample import LARGEST, Sample

_GROUPS = ("rails_mw", "loads_percent", "clocks_mhz", "temperatures_c")
HEADER = "time_s"
"""The first column, and so the beginning of every such file."""


def write_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Write samples atomically: a column per value, named `rails_mw.VDD_IN` and so on.

    Raises:
        ConfigError: the folder cannot be written.
    """
    files.write_text(path, samples_csv(samples))


def samples_csv(samples: Sequence[Sample]) -> str:
    """Return samples as the text that `write_samples` writes."""
    columns = list(dict.fromkeys(key for sample in samples for key in _cells(sample)))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([HEADER, *(f"{group}.{name}" for group, name in columns)])
    for sample in samples:
        cells = _cells(sample)
        row = [cells.get(key, "") for key in columns]
        writer.writerow([repr(float(sample.time_s)), *row])
    return text.getvalue()


def read_samples(path: Path) -> tuple[Sample, ...]:
    """Read what `write_samples` wrote.

    Raises:
        PowerError: the file cannot be read or is not such a file.
    """
    return parse_samples(read_text(path), path)


def parse_samples(text: str, path: Path) -> tuple[Sample, ...]:
    """Return the samples in a text that `samples_csv` made.

    Args:
        text: the table.
        path: its file, for messages.

    Raises:
        PowerError: it is no such table, or a value is not finite.
    """
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""))
    except (ValueError, csv.Error) as error:
        raise PowerError(f"cannot read samples ({error})", where=path) from error
    keys = [tuple(name.split(".", 1)) for name in header[1:]]
    if header[:1] != [HEADER] or any(len(key) != 2 or key[0] not in _GROUPS for key in keys):
        raise PowerError("not a table of power samples", where=path)
    try:
        return tuple(_sample(row, keys) for row in rows)
    except (ValueError, IndexError) as error:
        raise PowerError(f"a row that cannot be read ({error})", where=path) from error


def _cells(sample: Sample) -> Mapping[tuple[str, str], str]:
    return {
        (group, name): repr(float(value))
        for group in _GROUPS
        for name, value in getattr(sample, group).items()
    }


def _sample(row: Sequence[str], keys: Iterable[tuple[str, ...]]) -> Sample:
    groups: dict[str, dict[str, float]] = {group: {} for group in _GROUPS}
    for (group, name), cell in zip(keys, row[1:], strict=True):
        if cell:
            groups[group][name] = _number(cell)
    return Sample(_number(row[0]), **groups)


def _number(cell: str) -> float:
    value = float(cell)
    if not abs(value) <= LARGEST:
        raise ValueError(f"{cell[:20]} is no such quantity")
    return value
