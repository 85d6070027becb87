from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.imaging.listing import list_images
from edgesr.train.images import pairs


def test_pairs_come_in_order_with_none_for_what_is_no_picture(pictures: Path) -> None:
    broken = pictures.parent / "broken.png"
    broken.write_bytes(b"no picture")
    empty = pictures.parent / "empty.png"
    empty.touch()
    files = list_images(pictures)
    found = list(pairs([files[0], broken, files[1], empty], scale=4))
    assert [pair is None for pair in found] == [False, True, False, True]
    assert found[2] is not None
    assert found[2].hr.shape == (96, 68, 3)
    assert found[2].lr.shape == (24, 17, 3)


@pytest.mark.parametrize("kind", ["grey", "alpha", "sixteen"])
def test_other_kinds_of_pictures_become_three_bytes(kind: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    bgr = random.integers(0, 256, (16, 20, 3), dtype=np.uint8)
    written = {
        "grey": bgr[:, :, 0],
        "alpha": np.dstack([bgr, bgr[:, :, :1]]),
        "sixteen": bgr.astype(np.uint16) * 257,
    }[kind]
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), written)
    (pair,) = pairs([path], scale=4)
    assert pair is not None
    expected = np.dstack([bgr[:, :, 0]] * 3) if kind == "grey" else bgr[:, :, ::-1]
    np.testing.assert_array_equal(pair.hr, expected)
