"""Add smaller copies of photographs to a training folder: sharper, and of other textures.

    python -m benchmarks.release.shrunk_photos PHOTOS PHOTOS/shrunk

A photograph of many pixels is soft at the size of one; shrunk by the benchmarks' own kernel it is
as sharp as their pictures, and what its JPEG compression left is averaged away. A copy is made
for each of 0.6 and 0.35 that leaves --shortest pixels or more on the shorter side: 256 are a patch
of 64 at scale 4, 128 at scale 2.
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from edgesr.errors import EdgesrError, ImageError
from edgesr.files import make_folder, write_bytes
from edgesr.imaging.listing import list_images
from edgesr.imaging.resize import imresize
from edgesr.train.images import read_rgb

FACTORS = (0.6, 0.35)
SHORTEST = 256


def shrink(file: Path, out: Path, shortest: int = SHORTEST) -> int:
    """Write the copies of one picture, PNG files; return how many: none of what is no picture."""
    import cv2

    cv2.setNumThreads(1)  # one process a core
    try:
        rgb = read_rgb(file)
    except ImageError:
        return 0
    factors = [factor for factor in FACTORS if min(rgb.shape[:2]) * factor >= shortest]
    for factor in factors:
        encoded = cv2.imencode(".png", imresize(rgb, factor)[:, :, ::-1])[1]
        write_bytes(out / f"{file.stem}_{factor}.png", encoded.tobytes())
    return len(factors)


def main() -> None:
    """Shrink every picture below a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("photos", type=Path, help="folder of pictures")
    parser.add_argument("out", type=Path, help="folder of the copies")
    parser.add_argument("--shortest", type=int, default=SHORTEST, help="side of a copy in pixels")
    arguments = parser.parse_args()
    try:
        found = list_images(arguments.photos, fix="a folder of pictures")
        copies = arguments.out.resolve()  # of an earlier run
        files = [file for file in found if copies not in file.resolve().parents]
        make_folder(arguments.out)
        make = partial(shrink, out=arguments.out, shortest=arguments.shortest)
        with ProcessPoolExecutor() as pool:
            written = sum(pool.map(make, files, chunksize=8))
    except EdgesrError as error:
        sys.exit(str(error))
    print(f"{written} copies of {len(files)} pictures in {arguments.out}")


if __name__ == "__main__":
    main()
