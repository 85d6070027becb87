"""Pictures smaller than a tile: what the tile is filled up with is not seen in the result."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesr.imaging.picture import read_picture
from edgesr.imaging.resize import imresize
from edgesr.runtime.select import open_session
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import upscale

HEIGHT, WIDTH = 160, 192  # four times 40 and 48, and a tile is 64
EDGE = 4  # enlarged pixels, one of the input
MIRRORS = (np.s_[:, :], np.s_[::-1, :], np.s_[:, ::-1], np.s_[::-1, ::-1])

Floats = NDArray[np.float32]


# Not esr-fast: its own edge, where zeros follow, is much the worse one, whatever is continued.
@pytest.fixture(params=["bicubic", "esr", "espcn", "fsrcnn", "student", "photo"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    opened = open_session(request.param, "onnxruntime", 4)
    yield opened
    opened.close()


def parts(photo: Floats) -> Iterator[Floats]:
    for top in range(0, photo.shape[0] - HEIGHT, HEIGHT):
        for left in range(0, photo.shape[1] - WIDTH, WIDTH):
            yield photo[top : top + HEIGHT, left : left + WIDTH]


def test_the_edge_that_is_continued_is_as_good_as_the_other(session: Session, data: Path) -> None:
    """Against the photograph; mirrored, the same pixels are at the one edge and at the other."""
    photo = (read_picture(data / "city_512.jpg").colour / 255).astype(np.float32)
    own, continued = [], []  # a tile begins at the top left: only the other edges are continued
    for part in parts(photo):
        for mirror in MIRRORS:
            large = part[mirror]
            off = np.abs(upscale(session, imresize(large, 1 / 4)) - large)
            own += [off[:EDGE].mean(), off[:, :EDGE].mean()]
            continued += [off[-EDGE:].mean(), off[:, -EDGE:].mean()]
    assert np.mean(continued) < 1.01 * np.mean(own)
