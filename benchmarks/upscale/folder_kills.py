"""`edgesr upscale` of a folder killed by SIGKILL at random moments, then run again.

    python -m benchmarks.upscale.folder_kills [--model esr-fast] [--kills 20]

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
        after_s: of the start of the process.
        was_running: it had not ended by itself before.
        results_there: results that it had put in their places.
        temporary_files: that it left behind.
        wrong: what is not as it must be, "" if nothing.
    """

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
        kills = []
        for _ in range(options.kills):
            after_s = chance.uniform(0, expected.took_s)
            kills.append(kill_once(folder, options.model, after_s, expected))
            print(kills[-1], flush=True)
    report = {
        "model": options.model,
        "photos": photos,
        "undisturbed_s": round(expected.took_s, 2),
        "kills": [asdict(kill) for kill in kills],
        "were_running": sum(kill.was_running for kill in kills),
        "wrong": sum(kill.wrong != "" for kill in kills),
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


def kill_once(folder: Path, model: str, after_s: float, expected: Undisturbed) -> Kill:
    """Kill a run after some seconds, run it again, and judge what it leaves."""
    killed = run(words(folder, model), folder / "notes", after_s)
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
    return Kill(round(after_s, 3), killed.was_killed, len(there), left, "; ".join(wrong))


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file among the results by name, of temporary ones too."""
    return {path.name: path.read_bytes() for path in (folder / "results").glob("*")}


if __name__ == "__main__":
    main()
