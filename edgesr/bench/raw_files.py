"""The raw files of a run: run.json, latencies.csv, power.csv and pictures/.

A folder may come from another machine, or from a stranger: nothing outside of it is read, and every
value is checked before anything is computed of it (edgesr/bench/raw_values.py). A table that was
compressed by `xz` is read as it is (edgesr/bench/packed.py).
"""

import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta

from edgesr.artifacts.file_set import settle, write_set
from edgesr.bench.environment import Machine, MachineState
from edgesr.bench.packed import packed, read_packed
from edgesr.bench.raw_values import check_values
from edgesr.bench.recording import BenchModel, BenchSettings, Latencies, Power, Recording, Span
from edgesr.decode import FileName, MalformedError, Sha256, Text, read_bounded, read_json
from edgesr.errors import DataError, EdgesrError
from edgesr.files import to_json, utf8
from edgesr.power.samples_csv import parse_samples, samples_csv

FORMAT = "edgesr-bench-run/1"
RUN, LATENCIES, POWER, PICTURES = "run.json", "latencies.csv", "power.csv", "pictures"
COLUMNS = "model,round,start_s,end_to_end_ms,latency_ms,device_ms"
LIMIT_BYTES = 64 << 20
"""Largest table or picture that is read; a table of a million calls takes some 50 MB."""
PNG = b"\x89PNG\r\n\x1a\n"

_AGAIN = "edgesr bench -o DIR makes such a folder"
MemberName = Annotated[str, Meta(pattern=r"^(pictures/)?(?!\.{1,2}\Z)[^/\\\x00-\x1f]{1,255}\Z")]
"""Name of a file of a run, relative to its folder."""


@dataclass(frozen=True)
class RunFile:
    """What run.json holds: a `Recording` without its tables.

    Attributes:
        files: SHA-256 of each file that was written with it, by name; a run that was written
            before version 0.2 has none.

    The others are those of `Recording`, and `format`.
    """

    settings: BenchSettings
    started: Text
    interrupted: bool
    machine: Machine
    before: MachineState
    after: MachineState
    models: Annotated[tuple[BenchModel, ...], Meta(min_length=1, max_length=1000)]
    spans: tuple[Span, ...]
    power: Power
    input_picture: FileName
    files: dict[MemberName, Sha256] = field(default_factory=dict)
    format: str = FORMAT


def write_raw(folder: Path, recording: Recording, pictures: Mapping[str, bytes]) -> None:
    """Write a run; it is there as a whole, or what was there stays (edgesr/artifacts/file_set.py).

    Args:
        folder: exists.
        recording: the run.
        pictures: content of the PNG files by name.

    Raises:
        EdgesrError: the disk is full, or the folder cannot be written.
    """
    try:
        (folder / PICTURES).mkdir(exist_ok=True)
    except OSError as error:
        raise EdgesrError(f"cannot write ({error.strerror})", where=folder / PICTURES) from error
    members = {
        LATENCIES: utf8(_latencies_csv(recording.latencies)),
        POWER: utf8(samples_csv(recording.samples)),
        **{f"{PICTURES}/{name}": data for name, data in pictures.items()},
    }
    run = RunFile(
        **{name: getattr(recording, name) for name in _SHARED},
        files={name: sha256(data).hexdigest() for name, data in members.items()},
    )
    fields = asdict(run)
    text = to_json({"format": fields.pop("format")} | fields)
    try:
        write_set(folder / RUN, text, {folder / name: data for name, data in members.items()})
    except BaseException:
        with suppress(OSError):
            (folder / PICTURES).rmdir()  # only if nothing is in it
        raise
    # Of the run that was replaced.
    for name in (LATENCIES, POWER):
        packed(folder / name).unlink(missing_ok=True)
    for stale in (folder / PICTURES).glob("*.png"):
        if stale.name not in pictures:
            stale.unlink()


def read_raw(folder: Path) -> Recording:
    """Read what `write_raw` wrote.

    Raises:
        DataError: no run in the folder, or one of another format, or damaged, or a file of it lies
            outside of the folder.
        PowerError: power.csv is damaged.
    """
    try:
        run = read_json(inside(folder, RUN), RunFile, DataError, _AGAIN, FORMAT)
        for name, digest in run.files.items():
            settle(inside(folder, name), digest)
        latencies = _parse_latencies(*_read_table(folder, LATENCIES))
        samples = parse_samples(*_read_table(folder, POWER))
    except FileNotFoundError as error:
        raise DataError(
            f"there is no run in it ({Path(error.filename).name} is missing)",
            where=folder,
            fix=_AGAIN,
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"the run cannot be read ({error})", where=folder, fix=_AGAIN) from error
    recording = Recording(
        **{name: getattr(run, name) for name in _SHARED}, latencies=latencies, samples=samples
    )
    try:
        check_values(recording)
    except ValueError as error:
        raise DataError(f"the run cannot be: {error}", where=folder, fix=_AGAIN) from None
    return recording


def read_pictures(folder: Path, recording: Recording) -> dict[str, bytes]:
    """Return the PNG files that a run names, by name.

    Raises:
        DataError: one is missing, no PNG, too large, or lies outside of the folder.
    """
    pictures = {}
    for name in (recording.input_picture, *(model.picture for model in recording.models)):
        path = inside(folder, f"{PICTURES}/{name}")
        try:
            pictures[name] = read_bounded(path, LIMIT_BYTES)
        except OSError as error:
            raise DataError(f"a picture is missing ({path})", where=folder) from error
        except MalformedError as error:
            raise DataError(f"a picture cannot be read ({error})", where=path) from None
        if not pictures[name].startswith(PNG):
            raise DataError("not a PNG file", where=path, fix=_AGAIN)
    return pictures


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file of a run, which must lie in its folder, links followed.

    Raises:
        DataError: it lies elsewhere.
    """
    path = folder / name
    try:
        lies_inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle; Python 3.13 leaves them as they are
        lies_inside = False
    if not lies_inside:
        raise DataError(f"{name} lies outside of the folder", where=folder)
    return path


_SHARED = [name for name in RunFile.__annotations__ if name not in {"files", "format"}]


def _read_table(folder: Path, name: str) -> tuple[str, Path]:
    """Return the text of a table and the file that held it: itself, or its compressed form."""
    path, other = inside(folder, name), inside(folder, packed(Path(name)).name)
    if other.exists() and not path.exists():
        return read_packed(other, LIMIT_BYTES).decode("utf-8"), other
    return read_bounded(path, LIMIT_BYTES).decode("utf-8"), path


def _parse_latencies(text: str, path: Path) -> Latencies:
    header, _, rows = text.partition("\n")
    if header != COLUMNS or not rows.strip():
        raise DataError("not a table of latencies", where=path, fix=_AGAIN)
    table = np.loadtxt(io.StringIO(rows), delimiter=",", ndmin=2, comments=None)
    if table.shape[1] != len(COLUMNS.split(",")):
        raise ValueError(f"a row of {path.name} has too few or too many values")
    if not (np.abs(table[:, :2]) < 2**31).all():
        raise ValueError(f"{path.name} has a model or round that cannot be")
    return Latencies.from_rows(table)


def _latencies_csv(latencies: Latencies) -> str:
    text = io.StringIO()
    text.write(COLUMNS + "\n")
    columns = (
        latencies.model,
        latencies.round,
        latencies.start_s,
        latencies.end_to_end_ms,
        latencies.latency_ms,
        latencies.device_ms,
    )
    np.savetxt(text, np.column_stack(columns), fmt="%d,%d,%.6f,%.4f,%.4f,%.4f")
    return text.getvalue()
