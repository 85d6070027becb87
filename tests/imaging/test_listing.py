from pathlib import Path

import pytest

from edgesr.errors import DataError
from edgesr.imaging.listing import list_images


def test_lists_pictures_of_subfolders_and_no_lr_folders(tmp_path: Path) -> None:
    kept = ["a.png", "DIV2K_train_HR/b.JPG", "Flickr2K/HR/c.webp", "LRoses/d.bmp", "phone/e.HEIC"]
    left = ["DIV2K_train_LR_bicubic/X4/b.png", "LRx4/a.png", ".hidden/e.png", "notes.txt"]
    for name in (*kept, *left):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in list_images(tmp_path)] == sorted(kept)


def test_an_empty_or_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no picture"):
        list_images(tmp_path)
    with pytest.raises(DataError, match="no folder"):
        list_images(tmp_path / "nowhere")
