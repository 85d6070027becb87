"""What a folder of photos costs over the network alone: decoding, encoding and writing overlap.

    python -m benchmarks.upscale.many_files BSD100/HR

Photos are shrunk to --width pixels and saved as JPEG. They are then done in parts, in turns by the
network alone (decoded pictures to enlarged ones, one after the other) and by `edgesr upscale`
(JPEG files to PNG files), so that a disturbance of the machine hits both. Writes
benchmarks/results/upscale/many_files.json.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import cv2
import numpy as np

from benchmarks.shared.folders import RESULTS
from edgesr.cli import main as edgesr
from edgesr.files import write_json
from edgesr.imaging.picture import read_picture
from edgesr.imaging.resize import imresize
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.sessions import Sessions

OUTPUT = RESULTS / "upscale/many_files.json"
NETWORK = "photo"  # what JPEG files get


def main() -> None:
    """Measure, print the ratio and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--width", type=int, default=240)
    parser.add_argument("--parts", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = prepare(options.photos, folder, options.count, options.width)
        parts = [files[number :: options.parts] for number in range(options.parts)]
        with Sessions(NETWORK, "auto", 4, options.threads) as sessions:
            session = sessions.open_all()[0]
            alone, whole = Spent(), Spent()
            run(parts[0][:1], folder / "warm", options.threads)
            for number, part in enumerate(parts):
                pictures = [read_picture(path) for path in part]
                alone.add(lambda: [upscale_picture(session, one) for one in pictures])  # noqa: B023
                whole.add(lambda: run(part, folder / str(number), options.threads))  # noqa: B023
    report = {
        "protocol": f"{len(files)} photos {options.width} pixels wide, {NETWORK} x4, "
        f"{options.threads} threads, {options.parts} parts in turns",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {load_before:.1f} at the "
        f"start, {os.getloadavg()[0]:.1f} at the end",
        "inference_s": round(sum(alone.wall_s), 2),
        "wall_s": round(sum(whole.wall_s), 2),
        "ratio": round(sum(whole.wall_s) / sum(alone.wall_s), 3),
        "ratios_of_parts": [
            round(mine / its, 3) for mine, its in zip(whole.wall_s, alone.wall_s, strict=True)
        ],
        "inference_processor_s": round(alone.processor_s, 2),
        "processor_s": round(whole.processor_s, 2),
    }
    print(report)
    write_json(options.output, report)


class Spent:
    """Wall and processor time of the parts."""

    def __init__(self) -> None:
        self.wall_s: list[float] = []
        self.processor_s = 0.0

    def add(self, work: Callable[[], object]) -> None:
        """Do a part and add what it took."""
        wall, processor = time.perf_counter(), time.process_time()
        work()
        self.wall_s.append(time.perf_counter() - wall)
        self.processor_s += time.process_time() - processor


def prepare(photos: Path, folder: Path, count: int, width: int) -> list[Path]:
    """Write shrunk photos as JPEG files and return them."""
    files = []
    for path in sorted(photos.iterdir())[:count]:
        pixels = cv2.imread(str(path))
        if pixels is None:
            raise SystemExit(f"error: {path}: no picture")
        small = imresize(np.asarray(pixels, np.uint8), width / max(pixels.shape[:2]))
        files.append(folder / f"{path.stem}.jpg")
        cv2.imwrite(str(files[-1]), small)
    return files


def run(files: list[Path], results: Path, threads: int) -> None:
    """Enlarge files as a person does; the network is loaded anew."""
    words = ["upscale", *map(str, files), "-o", f"{results}{os.sep}", "--threads", str(threads)]
    try:
        with redirect_stdout(StringIO()):
            edgesr(words)
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    main()
