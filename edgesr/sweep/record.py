"""sweep.json: what a sweep was asked for and what it did; the runs lie in folders beside it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from edgesr.bench.raw_files import inside
from edgesr.decode import Amount, Count, FileName, Number, Text, read_json
from edgesr.errors import DataError
from edgesr.files import write_json

FORMAT = "edgesr-sweep/1"
NAME = "sweep.json"
_MOST_MODES = 64  # a board has about ten; each costs the reading of a run


@dataclass(frozen=True)
class ModeRun:
    """What became of a power mode.

    Attributes:
        id: its number.
        name: its name.
        folder: of its run; None where there is none.
        failure: why there is none; None: there is one.
    """

    id: Count
    name: Text
    folder: FileName | None
    failure: Text | None = None


@dataclass(frozen=True)
class Quality:
    """PSNR of a network, and where it is from.

    Attributes:
        psnr_y_db: mean over the set, of Y, in dB; None: unknown.
        source: where it is from, or why it is unknown.
    """

    psnr_y_db: Number | None
    source: Text


@dataclass(frozen=True)
class Sweep:
    """A sweep over power modes, as sweep.json holds it.

    Attributes:
        command: the command line that asks for it.
        started: UTC, ISO 8601.
        interrupted: it was stopped before its end.
        budget_j: energy of an image that the best network may take; None: not asked.
        modes: in the order in which they were measured.
        qualities: of the networks, in the order of each run's.
        left_out: pairs of a network and a tile that cannot be, in words.
        format: of the file.
    """

    command: Text
    started: Text
    interrupted: bool
    budget_j: Amount | None
    modes: Annotated[tuple[ModeRun, ...], Meta(max_length=_MOST_MODES)]
    qualities: tuple[Quality, ...]
    left_out: tuple[Text, ...] = ()
    format: str = FORMAT


def write_sweep(folder: Path, sweep: Sweep) -> None:
    """Write sweep.json, atomically."""
    write_json(folder / NAME, asdict(sweep))


def read_sweep(folder: Path) -> Sweep:
    """Read sweep.json.

    Raises:
        DataError: the folder holds no sweep, or a damaged one, or one that lies elsewhere.
    """
    path = inside(folder, NAME)
    try:
        return read_json(path, Sweep, DataError, "edgesr bench --sweep power-mode", FORMAT)
    except OSError as error:
        raise DataError(f"there is no sweep in it ({error.strerror})", where=folder) from error
