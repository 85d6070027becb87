from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.errors import ImageError
from edgesr.imaging.listing import list_images
from edgesr.train.images import TrainingPair, pairs


def test_pairs_come_in_order_with_errors_for_what_is_no_picture(pictures: Path) -> None:
    broken = pictures.parent / "broken.png"
    broken.write_bytes(b"no picture")
    empty = pictures.parent / "empty.png"
    empty.touch()
    files = list_images(pictures)
    small = pictures.parent / "small.png"
    cv2.imwrite(str(small), np.zeros((3, 9, 3), np.uint8))
    found = list(pairs([files[0], broken, files[1], empty, small], scale=4))
    wrong = [str(pair) for pair in found if isinstance(pair, ImageError)]
    assert [line.partition(": ")[0] for line in wrong] == [str(broken), str(empty), str(small)]
    assert wrong[2].endswith("is 9x3, too small to be shrunk 4 times")
    assert isinstance(found[2], TrainingPair)
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
    assert isinstance(pair, TrainingPair)
    expected = np.dstack([bgr[:, :, 0]] * 3) if kind == "grey" else bgr[:, :, ::-1]
    np.testing.assert_array_equal(pair.hr, expected)
