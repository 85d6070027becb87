"""README.md's picture: a small photograph enlarged by bicubic, and by the student that ships.

    python -m benchmarks.release.readme_picture

reads docs/cat.png and writes docs/before_after.webp. The photograph is `chelsea` of scikit-image,
which its photographer, Stéfan van der Walt, released under CC0: its left 448 columns, made 4 times
smaller by MATLAB's bicubic. No network here was trained on it.

    python -m benchmarks.release.readme_picture --from chelsea.png

makes docs/cat.png again, from skimage/data/chelsea.png of scikit-image 0.25.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import edgesr
from benchmarks.shared.commands import parser_of
from benchmarks.shared.folders import ROOT
from edgesr.files import write_bytes
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import Picture, read_picture
from edgesr.imaging.resize import imresize

DOCS = ROOT / "docs"
SMALL, SHOWN = DOCS / "cat.png", DOCS / "before_after.webp"
WIDTH, SCALE = 448, 4
LINE = 4  # white columns between the two


def write(picture: NDArray[Any], path: Path) -> None:
    """Write an RGB picture in the format that the name says."""
    data, _ = encode(Picture(picture), format_for(path.suffix))
    write_bytes(path, data)


def before_after(small: NDArray[Any]) -> NDArray[Any]:
    """Return (4 h, 8 w + 4, 3) of a uint8 RGB picture (h, w, 3): bicubic, a line, the student."""
    before, after = (
        edgesr.upscale(small, model=name, scale=SCALE) for name in ("bicubic", "student")
    )
    line = np.full((len(after), LINE, 3), 255, np.uint8)
    return np.hstack([before, line, after])


def main() -> None:
    """Make the picture."""
    parser = parser_of(__doc__)
    parser.add_argument("--from", dest="source", type=Path, help="chelsea.png of scikit-image")
    source = parser.parse_args().source
    if source is not None:
        whole = np.ascontiguousarray(read_picture(source).colour[:, :WIDTH])
        write(imresize(whole, 1 / SCALE), SMALL)
    write(before_after(read_picture(SMALL).colour), SHOWN)
    print(SHOWN)


if __name__ == "__main__":
    main()
