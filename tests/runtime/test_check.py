from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgesr.imaging.picture import read_picture
from edgesr.runtime.check import check_seams
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.photograph import upscale_picture


def test_a_network_that_sees_single_pixels_has_no_seams(
    make_nearest: Callable[..., Path], data: Path
) -> None:
    session = OnnxRuntimeSession(make_nearest())
    picture = read_picture(data / "photo.png")
    assert check_seams(session, picture, upscale_picture(session, picture)) == 1.0


@pytest.mark.parametrize(("overlap", "lowest", "highest"), [(0, 1.3, 9.0), (8, 0.97, 1.03)])
def test_without_overlap_seams_show_and_with_it_they_do_not(
    make_nearest: Callable[..., Path], data: Path, overlap: int, lowest: float, highest: float
) -> None:
    class Darkening(OnnxRuntimeSession):
        """Grows darker to the right and below, as if each tile were lit from its corner."""

        def run(self, tiles: np.ndarray) -> np.ndarray:
            fall = np.linspace(1.0, 0.9, 4 * 16, dtype=np.float32)
            return super().run(tiles) * fall * fall[:, None]

    session = Darkening(make_nearest(), threads=1)
    picture = read_picture(data / "photo.png")
    made = upscale_picture(session, picture, overlap=overlap)
    ratio = check_seams(session, picture, made)
    assert lowest < ratio < highest


def test_a_single_tile_has_no_borders(make_nearest: Callable[..., Path], data: Path) -> None:
    session = OnnxRuntimeSession(make_nearest(tile=64))
    picture = read_picture(data / "pictures/grey.png")
    made = upscale_picture(session, picture)
    assert made.tiles == len(made.plan) == 1
    assert check_seams(session, picture, made) == 1.0
