from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgesr.imaging.picture import read_picture
from edgesr.imaging.tiling import TilePlan
from edgesr.models.registry import get_network
from edgesr.runtime.check import check_seams
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.torch_session import TorchSession
from edgesr.runtime.upscale import plan_for


def test_a_network_that_sees_single_pixels_has_no_seams(
    make_nearest: Callable[..., Path], data: Path
) -> None:
    session = OnnxRuntimeSession(make_nearest())
    picture = read_picture(data / "photo.png")
    plan = plan_for(session, 108, 144, None, None)
    assert check_seams(session, picture, upscale_picture(session, picture, plan), plan) == 1.0


@pytest.mark.parametrize(("overlap", "lowest", "highest"), [(0, 1.3, 9.0), (16, 0.97, 1.03)])
def test_without_overlap_seams_show_and_with_it_they_do_not(
    data: Path, overlap: int, lowest: float, highest: float
) -> None:
    class Darkening(TorchSession):
        """Bicubic that grows darker to the right and below."""

        def run(self, tiles: np.ndarray) -> np.ndarray:
            fall = np.linspace(1.0, 0.9, 4 * 48, dtype=np.float32)
            return super().run(tiles) * fall * fall[:, None]

    session = Darkening(get_network("bicubic").module(4).eval(), "bicubic")
    picture = read_picture(data / "photo.png")
    plan = plan_for(session, 108, 144, 48, overlap)
    assert lowest < check_seams(session, picture, upscale_picture(session, picture, plan), plan)
    assert check_seams(session, picture, upscale_picture(session, picture, plan), plan) < highest


def test_a_single_tile_has_no_borders(data: Path) -> None:
    session = TorchSession(get_network("bicubic").module(4).eval(), "bicubic")
    picture = read_picture(data / "photo.png")
    plan: TilePlan = plan_for(session, 108, 144, None, None)
    assert check_seams(session, picture, picture, plan) == 1.0
