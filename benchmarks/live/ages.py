"""How old frames are when they are shown, told twice: by edgesr's record, and by their pixels.

    python -m benchmarks.live.ages measure --fps 3 --duration 60 -o NAME.json
    python -m benchmarks.live.ages judge benchmarks/results/live/*.json.xz

`measure` runs `edgesr live` on the test source, 640x360, with esr-fast and a file as sink. `tap.py`
stands between it and the sink's process. The test source draws a ball that turns once a second by
the clock of the wall, so every frame carries the moment at which it was drawn, up to whole seconds
(that a frame is the one which the record names, tests/live/test_shown.py proves by a recording).
"""

import argparse
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.live.judging import judge
from benchmarks.shared.commands import errors_in_one_line
from benchmarks.shared.results import read_result, write_result

HERE = Path(__file__).parent
SIZE = "640x360"


def measure(
    fps: int, duration_s: float, model: str = "esr-fast", size: str = SIZE
) -> dict[str, Any]:
    """Run it; return everything that was seen."""
    program = shutil.which("gst-launch-1.0")
    if program is None:
        sys.exit("gst-launch-1.0 is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stand_in = folder / "gst-launch-1.0"
        words = shlex.join([sys.executable, str(HERE / "tap.py")])
        stand_in.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        stand_in.chmod(0o755)
        command = [
            *("edgesr", "live", "--source", "test", "--size", size, "--fps", str(fps)),
            *("-m", model, "--sink", "out.mkv", "--duration-s", str(duration_s)),
            *("--record", "rows.csv", "--json"),
        ]
        wall_minus_monotonic_s = time.time() - time.monotonic()
        load_before = os.getloadavg()[0]
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            env={
                **os.environ,
                "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
                "TAP_PROGRAM": program,
                "TAP_FILE": str(folder / "seen.jsonl"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"{shlex.join(command)}\n{done.stderr}")
        return {
            "schema": "edgesr-live-ages-1",
            "command": shlex.join(command),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}",
            "gstreamer": _version(program),
            "load_before": round(load_before, 2),
            "load_after": round(os.getloadavg()[0], 2),
            "wall_minus_monotonic_s": wall_minus_monotonic_s,
            "figures": json.loads(done.stdout),
            "rows": (folder / "rows.csv").read_text().splitlines(),
            "seen": [json.loads(line) for line in (folder / "seen.jsonl").read_text().splitlines()],
            "file_times_s": times_in_file(program, folder / "out.mkv"),
        }


def times_in_file(program: str, path: Path) -> list[float]:
    """Decode the sink's file; return the time stamps of its frames."""
    words = f"filesrc location={path} ! decodebin ! identity name=seen silent=false ! fakesink"
    done = subprocess.run(
        [program, "-v", *words.split()], capture_output=True, text=True, check=True
    )
    stamps = re.findall(r"seen: last-message = chain .* pts: (\d+):(\d+):([\d.]+),", done.stdout)
    return [
        round(3600 * int(hours) + 60 * int(minutes) + float(seconds), 4)
        for hours, minutes, seconds in stamps
    ]


def summary(result: dict[str, Any]) -> str:
    """Return a line of what came out."""
    figures = result["figures"]
    age = figures["age_ms"]
    return (
        f"{result['command']}: {figures['shown']} of {figures['captured']} frames shown "
        f"({figures['fps']:.2f} fps), age p50 {age['p50']:.0f} ms, p95 {age['p95']:.0f} ms, max "
        f"{age['max']:.0f} of {figures['limit_ms']:.0f} ms; load {result['load_before']} to "
        f"{result['load_after']}"
    )


def _wall_minus_monotonic_s() -> float:
    """Compare the two clocks; between the two looks another program may have its turn."""
    return max(time.time() - time.monotonic() for _ in range(100))


def _version(program: str) -> str:
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return text.splitlines()[1].removeprefix("GStreamer ")


def main() -> None:
    """Measure, or judge what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--fps", type=int, default=3)
    measuring.add_argument("--duration", type=float, default=60.0)
    measuring.add_argument("-o", "--output", type=Path, required=True)
    judging = commands.add_parser("judge")
    judging.add_argument("results", type=Path, nargs="+")
    options = parser.parse_args()
    if options.command == "measure":
        write_result(options.output, measure(options.fps, options.duration))
        options.results = [options.output]
    for path in options.results:
        with errors_in_one_line():
            result = read_result(path)
        print(summary(result))
        wrong = judge(result)
        print("\n".join(wrong) if wrong else "all holds")
        if wrong:
            sys.exit(1)


if __name__ == "__main__":
    main()
