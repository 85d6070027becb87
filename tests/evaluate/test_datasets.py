from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.errors import DataError, ImageError
from edgesr.evaluate.datasets import open_sets
from edgesr.imaging.resize import imresize


def write(path: Path, shape: tuple[int, ...], seed: int = 0, dtype: type = np.uint8) -> np.ndarray:
    """Write random samples (RGB or grey) and return them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype)
    assert cv2.imwrite(str(path), samples if samples.ndim == 2 else samples[:, :, ::-1])
    return samples


def test_published_lr_files_are_read_and_hr_is_cut_from_the_top_left(tmp_path: Path):
    hr = write(tmp_path / "Set1/HR/a.png", (33, 42, 3))
    lr = write(tmp_path / "Set1/LRx4/a.png", (8, 10, 3), seed=1)
    (found,) = open_sets([tmp_path / "Set1"], 4)
    assert (found.name, found.scale, len(found.pairs)) == ("Set1", 4, 1)
    assert found.lr_source == "read from LRx4/"
    images = found.pairs[0].load()
    np.testing.assert_array_equal(images.hr.colour, hr[:32, :40])
    np.testing.assert_array_equal(images.lr.colour, lr)
    assert not images.hr.grey


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lr_is_made_where_there_is_none_for_the_scale(tmp_path: Path, scale: int):
    hr = write(tmp_path / "HR/a.png", (26, 31, 3))
    write(tmp_path / "LRx8/a.png", (3, 3, 3))
    (found,) = open_sets([tmp_path], scale)
    assert found.lr_source == "made from HR by MATLAB-exact bicubic"
    images = found.pairs[0].load()
    cut = hr[: 26 // scale * scale, : 31 // scale * scale]
    np.testing.assert_array_equal(images.hr.colour, cut)
    np.testing.assert_array_equal(images.lr.colour, imresize(cut, 1 / scale))


def test_a_grey_file_comes_with_three_equal_channels_and_is_marked(tmp_path: Path):
    hr = write(tmp_path / "HR/a.png", (16, 16))
    (images,) = (pair.load() for pair in open_sets([tmp_path], 4)[0].pairs)
    assert images.hr.grey
    assert images.lr.grey
    np.testing.assert_array_equal(images.hr.colour, np.repeat(hr[..., None], 3, axis=2))
    assert images.lr.colour.shape == (4, 4, 3)


def test_a_grey_hr_file_decides_where_lr_has_three_channels(tmp_path: Path):
    write(tmp_path / "HR/a.png", (16, 16))
    lr = write(tmp_path / "LRx4/a.png", (4, 4, 3))
    images = open_sets([tmp_path], 4)[0].pairs[0].load()
    assert (images.lr.grey, images.hr.grey) == (True, True)
    np.testing.assert_array_equal(images.lr.colour, lr)


def test_names_may_end_in_the_scale_as_div2k_has_them(tmp_path: Path):
    write(tmp_path / "HR/0801.png", (8, 8, 3))
    write(tmp_path / "HR/0802x4.jpg", (8, 8, 3))
    write(tmp_path / "LRx4/0801x4.png", (2, 2, 3))
    write(tmp_path / "LRx4/0802x4.png", (2, 2, 3))
    (tmp_path / "HR/notes.txt").write_text("not a picture")
    (tmp_path / "HR/.hidden.png").write_bytes(b"")
    pairs = open_sets([tmp_path], 4)[0].pairs
    names = [(p.name, p.lr and p.lr.name) for p in pairs]
    assert names == [("0801", "0801x4.png"), ("0802x4", "0802x4.png")]


def test_a_parent_gives_its_sets_in_order_and_passes_over_other_folders(tmp_path: Path):
    write(tmp_path / "B/HR/a.png", (8, 8, 3))
    write(tmp_path / "A/HR/a.png", (8, 8, 3))
    write(tmp_path / "train/a.png", (8, 8, 3))
    assert [s.name for s in open_sets([tmp_path], 4)] == ["A", "B"]
    assert [s.name for s in open_sets([tmp_path / "B", tmp_path / "A"], 4)] == ["B", "A"]


def test_what_is_no_set_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="no such folder"):
        open_sets([tmp_path / "absent"], 4)
    (tmp_path / "HR.png").write_bytes(b"")
    with pytest.raises(DataError, match="no HR/ in it") as caught:
        open_sets([tmp_path], 4)
    assert "LRx4/" in str(caught.value)
    (tmp_path / "HR").mkdir()
    with pytest.raises(DataError, match="no picture in it"):
        open_sets([tmp_path], 4)


def test_files_without_partner_are_named(tmp_path: Path):
    for name in "abcdef":
        write(tmp_path / f"HR/{name}.png", (8, 8, 3))
    for name in "abz":
        write(tmp_path / f"LRx4/{name}.png", (2, 2, 3))
    with pytest.raises(DataError, match=r"c has no LR, d has no LR, e has no LR and 2 more"):
        open_sets([tmp_path], 4)
    for name in "cdef":
        write(tmp_path / f"LRx4/{name}.png", (2, 2, 3))
    with pytest.raises(DataError, match="z has no HR"):
        open_sets([tmp_path], 4)


def test_an_empty_lr_folder_is_no_reason_to_make_the_files_silently(tmp_path: Path):
    write(tmp_path / "HR/a.png", (8, 8, 3))
    (tmp_path / "LRx4").mkdir()
    with pytest.raises(DataError, match="a has no LR"):
        open_sets([tmp_path], 4)


def test_two_pictures_of_one_name_are_refused(tmp_path: Path):
    write(tmp_path / "HR/a.png", (8, 8, 3))
    write(tmp_path / "HR/a.jpg", (8, 8, 3))
    with pytest.raises(DataError, match=r"a\.png: has the same name as a\.jpg"):
        open_sets([tmp_path], 4)


def test_sizes_that_do_not_match_are_named_with_both_sizes(tmp_path: Path):
    write(tmp_path / "HR/a.png", (33, 42, 3))
    write(tmp_path / "LRx4/a.png", (9, 10, 3))
    with pytest.raises(DataError, match=r"10x9 does not fit a\.png, which is 42x33, at scale 4"):
        open_sets([tmp_path], 4)[0].pairs[0].load()


def test_a_picture_too_small_too_deep_or_damaged_is_refused_by_name(tmp_path: Path):
    write(tmp_path / "small/HR/a.png", (3, 9, 3))
    write(tmp_path / "deep/HR/a.png", (16, 16, 3), dtype=np.uint16)
    write(tmp_path / "cut/HR/a.png", (16, 16, 3))
    whole = (tmp_path / "cut/HR/a.png").read_bytes()
    (tmp_path / "cut/HR/a.png").write_bytes(whole[: len(whole) // 2])
    messages = {"small": "9x3 is too small for scale 4", "deep": "16 bits a channel"}
    for name, message in messages.items():
        with pytest.raises(DataError, match=message):
            open_sets([tmp_path / name], 4)[0].pairs[0].load()
    with pytest.raises(ImageError, match=r"a\.png: .*damaged"):
        open_sets([tmp_path / "cut"], 4)[0].pairs[0].load()
