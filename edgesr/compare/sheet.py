"""A labelled sheet: the whole picture with a frame on it, and the framed part in every version."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edgesr.compare.crop import Crop
from edgesr.compare.lettering import INK, SOFT, Colour, Pixels, fit, write

_PAPER: Colour = (255, 255, 255)
_FRAME: Colour = (217, 98, 43)
_MARGIN, _GAP = 28, 18
_HEAD, _FOOT, _LABEL = 74, 34, 46
_SMALL = 300  # narrower cells are enlarged, pixel by pixel


@dataclass(frozen=True)
class SheetCell:
    """One version of the part of the photo, with its captions.

    Attributes:
        name: in strong letters.
        note: below it.
        pixels: (height, width, 3) RGB, all of a sheet of one size.
    """

    name: str
    note: str
    pixels: Pixels


@dataclass(frozen=True)
class Texts:
    """What stands around the cells, one line each."""

    title: str
    under: str
    foot: str


def sheet(texts: Texts, whole: Pixels, crop: Crop, cells: Sequence[SheetCell]) -> Pixels:
    """Draw the sheet.

    Args:
        texts: title and remarks.
        whole: (height, width, 3) RGB, the whole picture; it is left out if `crop` is all of it.
        crop: the framed part of `whole`.
        cells: the versions, at least one.

    Returns:
        (height, width, 3) RGB.
    """
    zoom = max(1, math.ceil(_SMALL / cells[0].pixels.shape[1]))
    pictures = [cell.pixels.repeat(zoom, axis=0).repeat(zoom, axis=1) for cell in cells]
    cell_height, cell_width = pictures[0].shape[:2]
    shows_whole = (crop.width, crop.height) != (whole.shape[1], whole.shape[0])
    columns = _columns(len(cells), cell_width, cell_height + _LABEL)
    rows = math.ceil(len(cells) / columns)
    grid_height = rows * (cell_height + _LABEL + _GAP) - _GAP
    overview = None
    left = _MARGIN
    if shows_whole:
        largest = (2 * cell_width + _GAP, grid_height - _LABEL)
        overview = framed(whole, crop, *largest)
        left += overview.shape[1] + _GAP
    width = left + columns * (cell_width + _GAP) - _GAP + _MARGIN
    height = _MARGIN + _HEAD + grid_height + _FOOT + _MARGIN
    canvas = np.full((height, width, 3), _PAPER, np.uint8)
    top = _MARGIN + _HEAD
    room = width - 2 * _MARGIN
    write(canvas, fit(texts.title, room, 30, True), (_MARGIN, _MARGIN + 24), 30, INK, True)
    write(canvas, fit(texts.under, room, 17), (_MARGIN, _MARGIN + 52), 17, SOFT)
    if overview is not None:
        _paste(canvas, overview, _MARGIN, top)
    for number, (cell, picture) in enumerate(zip(cells, pictures, strict=True)):
        row, column = divmod(number, columns)
        x = left + column * (cell_width + _GAP)
        y = top + row * (cell_height + _LABEL + _GAP)
        _paste(canvas, picture, x, y)
        base = y + cell_height
        write(canvas, fit(cell.name, cell_width, 19, True), (x, base + 21), 19, INK, True)
        write(canvas, fit(cell.note, cell_width, 15), (x, base + 40), 15, SOFT)
    write(canvas, fit(texts.foot, room, 15), (_MARGIN, height - _MARGIN), 15, SOFT)
    return canvas


def framed(whole: Pixels, crop: Crop, width: int, height: int) -> Pixels:
    """Return a picture made to fit into `width` x `height`, with a frame around a part of it."""
    factor = min(width / whole.shape[1], height / whole.shape[0])
    size = tuple(max(1, round(factor * side)) for side in whole.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(whole, size, interpolation=method), np.uint8)
    first = (round(factor * crop.x), round(factor * crop.y))
    last = (round(factor * (crop.x + crop.width)), round(factor * (crop.y + crop.height)))
    cv2.rectangle(small, first, last, _PAPER, 4, cv2.LINE_AA)
    cv2.rectangle(small, first, last, _FRAME, 2, cv2.LINE_AA)
    return small


def _columns(cells: int, width: int, height: int) -> int:
    """Return the number of columns whose grid is closest to 4:3; an empty place weighs heavily."""

    def misfit(columns: int) -> float:
        rows = math.ceil(cells / columns)
        empty = rows * columns - cells
        return abs(math.log(columns * width / (rows * height) / (4 / 3))) + 0.5 * empty

    return min(range(1, cells + 1), key=misfit)


def _paste(canvas: Pixels, picture: Pixels, x: int, y: int) -> None:
    canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
