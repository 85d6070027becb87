"""Benchmark sets in folders: HR/ and, where it was published, LRx4/ (LRx2/, LRx3/).

Files belong together by name: `HR/baby.png` with `LRx4/baby.png` or `LRx4/babyx4.png`. Without an
LR folder the LR pictures are made from HR as MATLAB's bicubic `imresize` makes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgesr.errors import Argument, DataError
from edgesr.imaging.container import SUFFIXES
from edgesr.imaging.picture import Picture, read_picture
from edgesr.imaging.resize import imresize, modcrop

_LAYOUT = "a set is a folder with HR/ and, if you have them, LRx{scale}/"
_SHOWN = 3


class Images(NamedTuple):
    """The two pictures of a pair, 8 bits a channel, without alpha.

    Attributes:
        lr: what a model is given; grey where `hr` is.
        hr: the original, `scale` times as high and wide.
    """

    lr: Picture
    hr: Picture


@dataclass(frozen=True)
class ImagePair:
    """One picture of a benchmark set, as HR and as LR.

    Attributes:
        name: of the HR file, without its suffix.
        hr: the HR file.
        lr: the LR file; None: it is made from HR.
        scale: factor between the sides.
    """

    name: str
    hr: Path
    lr: Path | None
    scale: int

    def load(self) -> Images:
        """Read the pair, HR cut from the top left to a multiple of the scale.

        Raises:
            DataError: a file has 16 bits a channel, or the two do not fit each other.
            ImageError: a file is no picture, or a damaged one.
        """
        whole = _read(self.hr)
        if min(whole.height, whole.width) < self.scale:
            raise DataError(f"{_size(whole)} is too small for scale {self.scale}", where=self.hr)
        hr = Picture(modcrop(whole.colour, self.scale), grey=whole.grey)
        if self.lr is None:
            return Images(Picture(imresize(hr.colour, 1 / self.scale), grey=hr.grey), hr)
        lr = _read(self.lr)
        if (self.scale * lr.height, self.scale * lr.width) != (hr.height, hr.width):
            raise DataError(
                f"{_size(lr)} does not fit {self.hr.name}, which is {_size(whole)}, at scale "
                f"{self.scale}",
                where=self.lr,
                fix=f"move {self.lr.parent.name}/ away to have the LR pictures made from HR/",
            )
        return Images(Picture(lr.colour, grey=hr.grey), hr)


@dataclass(frozen=True)
class BenchmarkSet:
    """A named set of pictures.

    Attributes:
        name: of the folder, such as `Set5`.
        folder: where it lies.
        scale: factor between the sides.
        pairs: its pictures, by name.
    """

    name: str
    folder: Path
    scale: int
    pairs: tuple[ImagePair, ...]

    @property
    def lr_source(self) -> str:
        """Where the LR pictures come from, in words."""
        made = self.pairs[0].lr is None
        return "made from HR by MATLAB-exact bicubic" if made else f"read from LRx{self.scale}/"


def open_sets(folders: Sequence[Path], scale: int) -> list[BenchmarkSet]:
    """Open every folder that is a set, and every set inside a folder that holds sets.

    Args:
        folders: sets, or parents of sets, in the order wanted.
        scale: factor between the sides; chooses LRx2, LRx3 or LRx4.

    Raises:
        DataError: a folder is missing, is no set and holds none, or a set's files do not pair up.
    """
    sets: list[BenchmarkSet] = []
    for folder in folders:
        if not folder.is_dir():
            raise DataError("no such folder", where=folder, fix=Argument("data", "FOLDER"))
        found = [folder] if _is_set(folder) else sorted(filter(_is_set, folder.iterdir()))
        if not found:
            raise DataError(
                "neither a set nor a folder of sets: there is no HR/ in it",
                where=folder,
                fix=_LAYOUT.format(scale=scale),
            )
        sets.extend(_open(path, scale) for path in found)
    return sets


def _is_set(folder: Path) -> bool:
    return (folder / "HR").is_dir()


def _open(folder: Path, scale: int) -> BenchmarkSet:
    hr = _images(folder / "HR")
    if not hr:
        raise DataError("no picture in it", where=folder / "HR", fix=_LAYOUT.format(scale=scale))
    lr_folder = folder / f"LRx{scale}"
    partners = _partners(hr, lr_folder, scale) if lr_folder.is_dir() else {}
    pairs = tuple(ImagePair(name, path, partners.get(name), scale) for name, path in hr.items())
    return BenchmarkSet(folder.resolve().name, folder, scale, pairs)


def _partners(hr: dict[str, Path], lr_folder: Path, scale: int) -> dict[str, Path]:
    """HR name -> LR file; every file must have its partner."""
    lr = _images(lr_folder)
    key_of = {name: name if name in lr else f"{name}x{scale}" for name in hr}
    alone = [f"{name} has no LR" for name, key in key_of.items() if key not in lr]
    alone += [f"{key} has no HR" for key in lr if key not in key_of.values()]
    if alone:
        more = f" and {len(alone) - _SHOWN} more" if len(alone) > _SHOWN else ""
        raise DataError(
            f"the files do not pair up: {', '.join(alone[:_SHOWN])}{more}",
            where=lr_folder,
            fix=f"move {lr_folder.name}/ away to have the LR pictures made from HR/",
        )
    return {name: lr[key] for name, key in key_of.items()}


def _images(folder: Path) -> dict[str, Path]:
    """Name -> file, by name; two pictures of one name cannot be told apart."""
    images: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in images:
            raise DataError(f"has the same name as {images[path.stem].name}", where=path)
        images[path.stem] = path
    return images


def _read(path: Path) -> Picture:
    picture = read_picture(path)
    if picture.colour.dtype != np.uint8:
        raise DataError("has 16 bits a channel; the protocol is for 8", where=path)
    return picture


def _size(picture: Picture) -> str:
    return f"{picture.width}x{picture.height}"
