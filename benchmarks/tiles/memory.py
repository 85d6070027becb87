"""Peak memory of `edgesr upscale` on a photograph of 12 megapixels, and of 16,384 x 16,384 out.

    python -m benchmarks.tiles.memory [--model esr-fast] [--rows 3000]

The photograph is tests/data/city_512.jpg repeated. Each result is written by a process of its own,
whose peak the operating system tells (`getrusage`), and beside it stands that of a process that
upscales 64 x 64 pixels: interpreter, libraries and network. Memory does not depend on what the
network is worth, so the quickest is the default. Writes benchmarks/results/tiles/memory.json.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from benchmarks.shared.folders import RESULTS, ROOT
from edgesr.files import write_json
from edgesr.imaging.picture import read_picture

PHOTO = ROOT / "tests/data/city_512.jpg"
OUTPUT = RESULTS / "tiles/memory.json"
LIMIT_MB = 400.0
SCALE = 4
RUN = """
import resource
from edgesr.cli import main
try:
    main()
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    open(PEAK, "w").write(str(peak * 1024))
"""


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="esr-fast")
    parser.add_argument("--rows", type=int, default=3000, help="of the 4,000 columns wide photo")
    parser.add_argument("--square", type=int, default=4096, help="side of the square; 0: none")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    cases = [(64, 64, ".png"), *((options.rows, 4000, end) for end in (".png", ".tiff", ".jpg"))]
    if options.square:
        cases += [(options.square, options.square, end) for end in (".png", ".tiff")]
    rows = []
    for height, width, suffix in cases:
        rows.append(measure(height, width, suffix, options.model))
        print(json.dumps(rows[-1]), flush=True)
    report = {
        "model": f"{options.model} x{SCALE}",
        "limit_over_input_and_output_mb": LIMIT_MB,
        "versions": {name: version(name) for name in ("onnxruntime", "opencv-python", "numpy")},
        "python": platform.python_version(),
        "rows": rows,
    }
    write_json(options.output, report)


def measure(height: int, width: int, suffix: str, model: str) -> dict[str, object]:
    """Return sizes and peak of one enlargement; MB are 10^6 bytes."""
    colour = read_picture(PHOTO).colour
    side = colour.shape[0]
    repeats = (-(-height // side), -(-width // side), 1)
    with tempfile.TemporaryDirectory() as folder:
        source, result, peak = (Path(folder) / n for n in ("in.png", f"out{suffix}", "peak"))
        pixels = np.tile(colour, repeats)[:height, :width, ::-1]
        cv2.imwrite(str(source), pixels)
        del pixels
        command = ["upscale", str(source), "-o", str(result), "-m", model]
        program = f"PEAK = {str(peak)!r}\n{RUN}"
        subprocess.run([sys.executable, "-c", program, *command], check=True, capture_output=True)
        peak_mb = int(peak.read_text()) / 1e6
        file_mb = result.stat().st_size / 1e6
    input_mb, output_mb = 3 * height * width / 1e6, 3 * SCALE**2 * height * width / 1e6
    return {
        "input": [width, height],
        "format": suffix[1:],
        "input_mb": input_mb,
        "output_mb": output_mb,
        "file_mb": file_mb,
        "peak_mb": peak_mb,
        "over_input_and_output_mb": peak_mb - input_mb - output_mb,
    }


if __name__ == "__main__":
    main()
