import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import edgesr.train.pixels
from edgesr.errors import ConfigError, DataError
from edgesr.imaging.listing import list_images
from edgesr.train.images import TrainingPair, pairs
from edgesr.train.pixels import load


def unseen(pictures: int, of: int) -> None: ...


def test_buffers_hold_the_pictures_one_after_another(pictures: Path) -> None:
    pixels = load(pictures, 4, None, unseen).pixels
    for number, pair in enumerate(pairs(list_images(pictures), 4)):
        assert isinstance(pair, TrainingPair)
        height, width = pair.lr.shape[:2]
        assert (pixels.heights[number], pixels.widths[number]) == (height, width)
        start = int(pixels.offsets[number])
        lr = pixels.lr[start : start + height * width].view(height, width, 3)
        np.testing.assert_array_equal(lr, pair.lr)
        hr = pixels.hr[16 * start : 16 * (start + height * width)]
        np.testing.assert_array_equal(hr.view(4 * height, 4 * width, 3), pair.hr)


def test_the_cache_holds_the_same_and_is_used_again(pictures: Path, tmp_path: Path) -> None:
    decoded: list[tuple[int, int]] = []
    plain = load(pictures, 4, None, unseen).pixels
    for _ in range(2):
        cached = load(pictures, 4, tmp_path / "cache", lambda *seen: decoded.append(seen)).pixels
        assert torch.equal(cached.hr, plain.hr)
        assert torch.equal(cached.lr, plain.lr)
        assert torch.equal(cached.widths, plain.widths)
    assert decoded == [(1, 4), (2, 4), (3, 4), (4, 4)]  # the second time nothing was decoded


def test_a_cache_of_names_that_are_no_utf8_is_used_again(pictures: Path, tmp_path: Path) -> None:
    photos = tmp_path / os.fsdecode(b"photos\xff")
    photos.mkdir()
    (photos / "good.png").write_bytes((pictures / "crop0.png").read_bytes())
    load(photos, 4, tmp_path / "cache", unseen)
    load(photos, 4, tmp_path / "cache", lambda *_: pytest.fail("decoded again"))


def test_a_changed_file_or_scale_makes_the_cache_anew(tmp_path: Path, pictures: Path) -> None:
    folder, cache = tmp_path / "pictures", tmp_path / "cache"
    folder.mkdir()
    for file in list_images(pictures)[:2]:
        (folder / file.name).write_bytes(file.read_bytes())
    first = load(folder, 4, cache, unseen).pixels
    changed = list_images(folder)[0]
    (folder / "crop1.png").replace(changed)
    assert len(load(folder, 4, cache, unseen).pixels.heights) == len(first.heights) - 1
    assert load(folder, 2, cache, unseen).pixels.scale == 2


@pytest.mark.parametrize("damage", ["hr_x4.u8", "lr_x4.u8", "pixels_x4.json"])
@pytest.mark.parametrize("missing", [False, True])
def test_a_damaged_cache_is_made_anew(
    damage: str, missing: bool, pictures: Path, tmp_path: Path
) -> None:
    whole = load(pictures, 4, tmp_path, unseen).pixels.hr.clone()
    file = tmp_path / damage
    if missing:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    assert torch.equal(load(pictures, 4, tmp_path, unseen).pixels.hr, whole)


def test_a_cache_that_cannot_be_made_is_named(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file: cannot be made a folder"):
        load(pictures, 4, tmp_path / "file", unseen)


def test_pictures_leave_half_of_the_free_memory_to_the_step(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There need be no card: only the question to it is answered here."""
    pixels = load(pictures, 4, None, unseen).pixels
    for free, fits in ((2 * pixels.nbytes, True), (2 * pixels.nbytes - 1, False)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, 10 * free))
        assert pixels.fits(torch.device("cuda")) is fits


@pytest.mark.parametrize("cached", [False, True])
def test_the_first_unreadable_files_are_named(cached: bool, pictures: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" if cached else None
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "good.png").write_bytes((pictures / "crop0.png").read_bytes())
    for name in "abcde":
        (photos / f"{name}.png").write_bytes(b"" if name == "a" else b"no picture")
    for _ in range(2):  # the second time from the cache
        loaded = load(photos, 4, cache, unseen)
        assert (loaded.refused.count, len(loaded.pixels.heights)) == (5, 1)
        title, *named, more = loaded.refused.lines
        assert title.endswith("5 files")
        assert [line.split(": ")[0] for line in named] == [f"  {photos / x}.png" for x in "abc"]
        assert "empty" in named[0]
        assert more == "  and 2 more"


def test_a_cache_of_before_reasons_were_kept_is_used(pictures: Path, tmp_path: Path) -> None:
    photos, cache = tmp_path / "photos", tmp_path / "cache"
    photos.mkdir()
    (photos / "good.png").write_bytes((pictures / "crop0.png").read_bytes())
    (photos / "bad.png").write_bytes(b"no picture")
    load(photos, 4, cache, unseen)
    index = cache / "pixels_x4.json"
    known = json.loads(index.read_text())
    del known["refused"]
    index.write_text(json.dumps(known))
    lines = load(photos, 4, cache, lambda *_: pytest.fail("decoded again")).refused.lines
    assert [line.rpartition(": ")[2] for line in lines] == ["1 file", "  and 1 more"]


@pytest.mark.parametrize("cached", [False, True])
def test_a_folder_without_any_readable_picture(cached: bool, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"can be read as a picture; the first is .*bad\.png: "):
        load(tmp_path, 4, tmp_path / "cache" if cached else None, unseen)


def test_more_pictures_than_memory_ask_for_a_cache(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edgesr.train.pixels, "MEMORY_SHARE", 1e-9)
    with pytest.raises(DataError, match="--cache"):
        load(pictures, 4, None, unseen)
