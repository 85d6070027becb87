"""The shipped student through the tiles, as users get it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesr.imaging.picture import read_picture
from edgesr.imaging.psnr import psnr_db
from edgesr.imaging.resize import imresize
from edgesr.imaging.seams import border_lines, seam_ratio
from edgesr.runtime.select import open_session
from edgesr.runtime.upscale import plan_for, upscale


def closeness_db(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return psnr_db(float(np.mean((a - b) ** 2)))


@pytest.mark.long
def test_tiles_are_invisible_on_a_photograph_of_512_pixels(data: Path) -> None:
    pytest.importorskip("torch")
    rgb = (read_picture(data / "city_512.jpg").colour / 255).astype(np.float32)
    assert rgb.shape == (512, 512, 3)
    whole = upscale(open_session("student", "torch", threads=1), rgb)
    session = open_session("student", "onnxruntime", threads=1)
    plan = plan_for(session, 512, 512, None, None)
    assert len(plan) == 81
    tiled = upscale(session, rgb)
    lines = border_lines(plan.rows), border_lines(plan.columns)
    assert abs(seam_ratio(tiled, whole, *lines) - 1.0) < 0.03
    # Details differ (41.3 dB): in the whole picture the scans run over a sequence 64 times as long
    # as any that was trained on. Neither is farther from the photograph than the other.
    assert closeness_db(tiled, whole) > 40
    assert closeness_db(imresize(tiled, 0.25), rgb) > closeness_db(imresize(whole, 0.25), rgb) - 0.1


def test_the_result_is_the_photograph_enlarged(data: Path) -> None:
    """Made small again it is the input: nothing is shifted, tinted or invented at large."""
    rgb = (read_picture(data / "photo.png").colour / 255).astype(np.float32)
    small = imresize(upscale(open_session("student", threads=1), rgb), 0.25)
    assert closeness_db(small, rgb) > 38.0
