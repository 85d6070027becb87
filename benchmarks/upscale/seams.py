"""Do the tiles of enlarged photographs show? The seam meter on twenty of them.

    python -m benchmarks.upscale.seams FOLDER [--model student] [--count 20] [--crop 176]

Photographs are taken from all over the folder, by name, and enlarged, whole or the middle of them,
in the tiles that `edgesr upscale` takes by itself, by `photo`, the network of photographs that are
stored as JPEG, unless --model names another.
The meter is that of `--check`: gradients across the borders of tiles over gradients everywhere,
divided by the same of the picture in other tiles; 1 is a picture without seams. Writes
benchmarks/results/upscale/seams.json.xz.
"""

import argparse
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

import edgesr
from benchmarks.shared.folders import RESULTS
from benchmarks.shared.results import write_result
from edgesr.files import sha256
from edgesr.imaging.picture import read_picture
from edgesr.weights import shipped

OUTPUT = RESULTS / "upscale/seams.json.xz"
LIMIT = 0.02


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", default="photo", help="one that ships with weights")
    parser.add_argument("--pattern", default="*")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--crop", type=int, help="side of the middle in pixels; default: whole")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    weights = sha256(shipped(options.model, 4, "safetensors"))
    found = sorted(options.photos.glob(options.pattern))
    rows = []
    with edgesr.open_model(options.model) as model, tempfile.TemporaryDirectory() as folder:
        for number in range(options.count):
            photo = found[number * len(found) // options.count]
            rows.append(measure(model, photo, options.crop, Path(folder)))
            print(rows[-1], flush=True)
    ratios = [float(str(row["seam_ratio"])) for row in rows]
    report = {
        "folder": f"{options.photos.parent.name}/{options.photos.name}/{options.pattern}",
        "crop": options.crop,
        "weights_sha256": weights,
        "limit": LIMIT,
        "smallest": min(ratios),
        "largest": max(ratios),
        "within_limit": sum(abs(ratio - 1) <= LIMIT for ratio in ratios),
        "versions": {name: version(name) for name in ("onnxruntime", "opencv-python", "numpy")},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": rows,
    }
    write_result(options.output, report)


def measure(model: edgesr.Model, photo: Path, crop: int | None, folder: Path) -> dict[str, object]:
    """Return the meter's figure for a photograph and what it was enlarged by."""
    pixels = read_picture(photo).colour
    if crop is not None:
        top, left = ((side - crop) // 2 for side in pixels.shape[:2])
        pixels = pixels[max(top, 0) :, max(left, 0) :][:crop, :crop]
    result = folder / f"{photo.stem}.png"
    told = model.upscale(pixels, result, check_seams=True)
    result.unlink()
    return {
        "photo": photo.name,
        "input_size": told.input_size,
        "model": told.model,
        "tile": told.tile,
        "overlap": told.overlap,
        "tiles": told.tiles,
        "seam_ratio": round(told.seam_ratio or 0.0, 4),
    }


if __name__ == "__main__":
    main()
