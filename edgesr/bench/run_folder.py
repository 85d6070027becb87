"""The folder of a run: claimed before the work, and never left for what is in it."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from edgesr.artifacts.file_set import leftovers
from edgesr.bench.packed import packed
from edgesr.bench.raw_files import LATENCIES, PICTURES, POWER, RUN, write_raw
from edgesr.bench.recording import Recording
from edgesr.errors import ConfigError, EdgesrError, shell
from edgesr.files import make_folder

NAMES = frozenset(
    {RUN, PICTURES, LATENCIES, POWER}
    | {packed(Path(name)).name for name in (LATENCIES, POWER)}
    | {"result.json", "power.svg", "latency.svg", "report.html"}
)
"""Everything that a run leaves in its folder, or `xz` makes of it."""

FREE_BYTES = 16 << 20
"""What must be free before a run: several times what one of 1000 samples writes."""

BYTES_A_SAMPLE = 256
"""And for each measured sample, on top: its row, and its share of the plots."""


def claim_folder(folder: Path, overwrite: bool, samples: int = 0) -> None:
    """Make the folder of a run before the work begins, and see that the run will fit.

    What a killed run left there is no obstacle: before run.json nothing counts, and what waits
    beside its place (edgesr/artifacts/file_set.py) is removed.

    Args:
        folder: of the run.
        overwrite: whether a run that is there, or a part of one, may be replaced.
        samples: measured samples of all models together.

    Raises:
        ConfigError: something else is in it, an earlier run is and may not be replaced, it cannot
            be written, or its disk is full.
    """
    make_folder(folder)
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    if names - NAMES:
        raise ConfigError("there are other files in it", where=folder, fix="another -o")
    if names and not overwrite:
        what = "a run" if RUN in names else "a part of a run"
        raise ConfigError(f"there is {what} in it", where=folder, fix="--overwrite, or another -o")
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ConfigError(f"cannot write here ({error.strerror})", where=folder) from error
    needed = FREE_BYTES + BYTES_A_SAMPLE * samples
    if free < needed:
        raise ConfigError(
            f"only {free >> 10} KiB are free and a run may need {needed >> 10}; nothing was "
            "measured yet",
            where=folder,
            fix=f"df -h {shell(folder.parent)}",
        )


@contextmanager
def removed_if_empty(folder: Path) -> Iterator[None]:
    """Remove a folder if the block fails, or is stopped, before anything is in it.

    So are those above it that are not there yet.
    """
    above = [place for place in folder.parents if not os.path.lexists(place)]
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for place in (folder, *above):
                place.rmdir()  # only if nothing is in it
        raise


def remove_run(folder: Path) -> None:
    """Remove a run, and its folder unless something else is in it."""
    for name in sorted(NAMES - {PICTURES}):
        for path in (folder / name, *leftovers(folder / name)):
            path.unlink(missing_ok=True)
    shutil.rmtree(folder / PICTURES, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()


def keep(folder: Path, recording: Recording, pictures: Mapping[str, bytes]) -> None:
    """Write a run to its folder, or where that fails to a temporary one, so that it is not lost.

    Args:
        folder: as claimed.
        recording: the run.
        pictures: content of the PNG files by name.

    Raises:
        EdgesrError: it could not be written to `folder`; the message says where it is instead.
    """
    try:
        write_raw(folder, recording, pictures)
    except EdgesrError as error:
        refuge = Path(tempfile.mkdtemp(prefix="edgesr-bench-"))
        try:
            write_raw(refuge, recording, pictures)
        except EdgesrError:
            shutil.rmtree(refuge, ignore_errors=True)
            raise error from None
        raise EdgesrError(
            f"{error.what}; what was measured is in {refuge}",
            where=error.where,
            fix=f"edgesr report {shell(refuge)}",
        ) from error
