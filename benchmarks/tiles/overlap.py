"""How much neighbouring tiles must overlap: seams and differences against the untiled network.

    python -m benchmarks.tiles.overlap [PHOTO...]

Each photograph is cut so that its tiles overlap by exactly the figure given, upscaled whole in
torch and in tiles in ONNX Runtime. `relative_tiles` is the number of tiles a large photograph
takes, relative to no overlap. Writes benchmarks/results/tiles/overlap.json.
"""

import argparse
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.folders import RESULTS, ROOT
from edgesr.files import sha256, write_json
from edgesr.imaging.picture import read_picture
from edgesr.imaging.seams import border_lines, seam_ratio
from edgesr.runtime.select import open_session
from edgesr.runtime.session import Session
from edgesr.runtime.tile_overlap import DEFAULT_OVERLAP
from edgesr.runtime.upscale import plan_for, upscale
from edgesr.weights import shipped

PHOTO = ROOT / "tests/data/city_512.jpg"
OUTPUT = RESULTS / "tiles/overlap.json"
OVERLAPS = (0, 4, 8, 12, 16, 24)
TILES = 4  # along each side


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, nargs="*", default=[PHOTO])
    parser.add_argument("--model", default="student")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    whole, tiled = (
        open_session(options.model, "torch", threads=1),
        open_session(options.model, "onnxruntime"),
    )
    rows = []
    for photo in options.photos:
        rgb = (read_picture(photo).colour / 255).astype(np.float32)
        for overlap in OVERLAPS:
            rows.append({"photo": photo.name, **measure(whole, tiled, rgb, overlap)})
            print(rows[-1], flush=True)
    report = {
        "model": f"{options.model} x{tiled.scale}",
        "onnx_sha256": sha256(shipped(options.model, tiled.scale, "onnx")),
        "tile": tiled.tile,
        "default_overlap": DEFAULT_OVERLAP,
        "versions": {name: version(name) for name in ("onnxruntime", "torch", "numpy")},
        "python": platform.python_version(),
        "rows": rows,
    }
    write_json(options.output, report)


def measure(
    whole: Session, tiled: Session, rgb: NDArray[np.float32], overlap: int
) -> dict[str, float]:
    """Compare tiled and untiled on the largest square of `TILES` tiles that overlap exactly."""
    assert tiled.tile is not None  # shipped ONNX files are made for one size
    side = tiled.tile + (TILES - 1) * (tiled.tile - overlap)
    rgb = rgb[:side, :side]
    height, width = rgb.shape[:2]
    plan = plan_for(tiled, height, width, None, overlap)
    untiled, result = upscale(whole, rgb), upscale(tiled, rgb, overlap=overlap)
    difference = result - untiled
    levels = np.rint(result * 255) != np.rint(untiled * 255)
    lines = border_lines(plan.rows), border_lines(plan.columns)
    return {
        "overlap": overlap,
        "relative_tiles": round((tiled.tile / (tiled.tile - overlap)) ** 2, 3),
        "seam_ratio": round(seam_ratio(result, untiled, *lines), 4),
        "psnr_db": round(float(-10 * np.log10(np.mean(difference**2))), 2),
        "largest_difference": round(float(np.abs(difference).max()), 4),
        "changed_8_bit_values": round(float(levels.mean()), 4),
    }


if __name__ == "__main__":
    main()
