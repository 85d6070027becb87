"""`edgesr upscale` of a folder killed by SIGKILL at random moments, then run again.

    python -m benchmarks.upscale.folder_kills [--model esr-fast] [--kills 20]

A moment is a share of the work: so many results, and a part of the time that the next one takes as
far as the last one tells. So it falls into the run however fast that is, which the clock would not
tell on a machine with other work. A run that ends before its moment is judged like the others and
another moment drawn.

After every kill each result must be absent or that of an undisturbed run, byte for byte; after the
second run all of them are there, and nothing lies beside them. Writes
benchmarks/results/upscale/folder_kills.json.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2

from benchmarks.shared.folders import RESULTS, ROOT
from benchmarks.upscale.killed import run
from edgesr.files import write_json

PHOTO = ROOT / "tests" / "data" / "city_512.jpg"
SIDE = 96  # of a part, in pixels
OUTPUT = RESULTS / "upscale/folder_kills.json"


@dataclass(frozen=True)
class Kill:
    """One kill and what came of it.

    Attributes:
        at_share: of the work, from 0 to 1.
        after_s: of the start of the process.
        was_running: it had not ended by itself before.
        results_there: results that it had put in their places.
        temporary_files: that it left behind.
        wrong: what is not as it must be, "" if nothing.
    """

    at_share: float
    after_s: float
    was_running: bool
    results_there: int
    temporary_files: int
    wrong: str


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing happens to.

    Attributes:
        results: content by name.
        took_s: from its start to its end.
    """

    results: dict[str, bytes]
    took_s: float


def main() -> None:
    """Run it, write the result, exit with 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", "--model", default="esr-fast")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = fill(folder / "album")
        expected = undisturbed(folder, options.model)
        tried: list[Kill] = []
        while sum(kill.was_running for kill in tried) < options.kills:
            each_s = expected.took_s / photos
            moment = Moment(folder / "results", chance.random(), photos, each_s)
            tried.append(kill_once(folder, options.model, moment, expected))
            print(tried[-1], flush=True)
    report = {
        "model": options.model,
        "photos": photos,
        "undisturbed_s": round(expected.took_s, 2),
        "kills": [asdict(kill) for kill in tried if kill.was_running],
        "ended_before": sum(not kill.was_running for kill in tried),
        "wrong": sum(kill.wrong != "" for kill in tried),
    }
    write_json(options.output, report)
    sys.exit(1 if report["wrong"] else 0)


def fill(album: Path) -> int:
    """Write parts of a photo in three formats and return how many files these are."""
    album.mkdir()
    pixels = cv2.imread(str(PHOTO))
    assert pixels is not None, PHOTO
    for number in range(4):
        top = number * SIDE
        for suffix in (".png", ".jpg", ".tiff"):
            part = pixels[top : top + SIDE, :SIDE]
            cv2.imwrite(str(album / f"{number}_{suffix[1:]}{suffix}"), part)
    return len(list(album.iterdir()))


def words(folder: Path, model: str) -> list[str]:
    """Return the command that is killed; with --skip-existing also a finished one succeeds."""
    album, results = str(folder / "album"), str(folder / "results")
    return ["upscale", album, "-o", results, "-m", model, "--skip-existing"]


def undisturbed(folder: Path, model: str) -> Undisturbed:
    """Enlarge the folder without a kill; the results are gone afterwards."""
    run(["--version"], folder / "notes")  # the process that all divide from has started
    begin = time.perf_counter()
    ended = run(words(folder, model), folder / "notes")
    took_s = time.perf_counter() - begin
    if ended.exit_code:
        raise RuntimeError(ended.said)
    results = contents(folder)
    shutil.rmtree(folder / "results")
    return Undisturbed(results, took_s)


class Moment:
    """A moment of a run, by what it has done so far."""

    def __init__(self, results: Path, share: float, photos: int, each_s: float) -> None:
        """Mean a share of the work of a run that starts now.

        Args:
            results: where they appear.
            share: from 0 to 1.
            photos: of the work.
            each_s: that one is thought to take, until the first one tells.
        """
        self.share = share
        self._results, self._wanted = results, share * photos
        self._there, self._before = 0, time.perf_counter()
        self._started, self._took_s = self._before, each_s

    @property
    def after_s(self) -> float:
        """Of the start."""
        return time.perf_counter() - self._started

    def has_come(self) -> bool:
        """Tell whether it has."""
        now = time.perf_counter()
        there = sum(not path.name.startswith(".") for path in self._results.glob("*"))
        if there > self._there:
            self._took_s = (now - self._before) / (there - self._there)
            self._there, self._before = there, now
        rest = self._wanted - there
        return rest < 0 or (rest < 1 and now - self._before >= rest * self._took_s)


def kill_once(folder: Path, model: str, moment: Moment, expected: Undisturbed) -> Kill:
    """Kill a run at a moment, run it again, and judge what it leaves."""
    killed = run(words(folder, model), folder / "notes", moment.has_come)
    after_s = moment.after_s
    found = contents(folder)
    there = {name: data for name, data in found.items() if not name.startswith(".")}
    wrong = [
        f"{name} was not whole" for name, data in there.items() if expected.results[name] != data
    ]
    again = run(words(folder, model), folder / "notes")
    if again.exit_code:
        wrong.append(again.said[-500:])
    after = contents(folder)
    if after != expected.results:
        names = sorted(after.keys() ^ expected.results.keys())
        wrong.append(f"the second run gave something else, or other files: {names}")
    shutil.rmtree(folder / "results", ignore_errors=True)
    left = len(found) - len(there)
    return Kill(
        round(moment.share, 3),
        round(after_s, 3),
        killed.was_killed,
        len(there),
        left,
        "; ".join(wrong),
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file among the results by name, of temporary ones too."""
    return {path.name: path.read_bytes() for path in (folder / "results").glob("*")}


if __name__ == "__main__":
    main()
