"""`edgesr upscale` of a clip killed by SIGKILL at random moments, then run again.

    python -m benchmarks.video.kills -o benchmarks/results/video/kills.json

A moment that comes after the end of the run is judged like the others and another one drawn. After
every kill the result must be absent or whole; after the second run it must be that of an
undisturbed run, byte for byte, and nothing may lie beside it that was not there before.
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.video.judge import clip
from edgesr.files import write_json


@dataclass(frozen=True)
class Kill:
    """One kill and what came of it.

    Attributes:
        after_s: of the start of the process.
        was_running: it had not ended by itself before.
        segments: whole segments that it left.
        result_there: it had put its result in its place.
        wrong: what is not as it must be, "" if nothing.
    """

    after_s: float
    was_running: bool
    segments: int
    result_there: bool
    wrong: str


def command(folder: Path, model: str) -> list[str]:
    """Return the command that is killed; with --skip-existing also a finished one succeeds."""
    source, result = folder / "clip.mp4", folder / "result.mp4"
    edgesr = [sys.executable, "-m", "edgesr", "upscale"]
    return [*edgesr, str(source), "-o", str(result), "-m", model, "--skip-existing"]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kill_once(folder: Path, model: str, after_s: float, expected: str) -> Kill:
    """Kill a run after some seconds, run it again, and judge what it leaves."""
    result = folder / "result.mp4"
    process = subprocess.Popen(
        command(folder, model), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after_s)
        was_running = False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        was_running = True
    segments = len(list(folder.glob(".edgesr-clip-*/[0-9]*.segment")))
    there = result.exists()
    wrong = "a part of the result was there" if there and digest(result) != expected else ""
    again = subprocess.run(command(folder, model), capture_output=True, text=True, check=False)
    left = sorted(path.name for path in folder.iterdir())
    if again.returncode:
        wrong = again.stderr[-500:]
    elif digest(result) != expected:
        wrong = "the second run gave something else"
    elif left != ["clip.mp4", "result.mp4"]:
        wrong = f"left over: {left}"
    result.unlink(missing_ok=True)
    return Kill(round(after_s, 3), was_running, segments, there, wrong)


def undisturbed(folder: Path, model: str) -> tuple[str, float]:
    """Return the digest of a run that nothing happens to, and how long it took."""
    begin = time.perf_counter()
    subprocess.run(command(folder, model), check=True, capture_output=True)
    took_s = time.perf_counter() - begin
    expected = digest(folder / "result.mp4")
    (folder / "result.mp4").unlink()
    return expected, took_s


def main() -> None:
    """Run it, write the result, exit with 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", "--model", default="esr-fast")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        audio = ("-c:v", "libx264", "-bf", "2", "-c:a", "aac")
        clip(folder / "clip.mp4", options.seconds, "160x120", *audio)
        expected, took_s = undisturbed(folder, options.model)
        kills: list[Kill] = []
        while sum(kill.was_running for kill in kills) < options.kills:
            kills.append(kill_once(folder, options.model, chance.uniform(0, took_s), expected))
            print(kills[-1], flush=True)
    write_json(
        options.output,
        {
            "model": options.model,
            "seed": options.seed,
            "undisturbed_s": round(took_s, 2),
            "result_sha256": expected,
            "kills": [asdict(kill) for kill in kills if kill.was_running],
            "ended_before": sum(not kill.was_running for kill in kills),
            "wrong": sum(1 for kill in kills if kill.wrong),
        },
    )
    sys.exit(1 if any(kill.wrong for kill in kills) else 0)


if __name__ == "__main__":
    main()
