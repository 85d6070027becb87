"""Cutting the crops of a batch out of the flat buffers: by index on a device, by slice on the host.

`turn` is one of the eight symmetries of a square, all flips and quarter turns: bit 0 mirrors the
rows, then bit 1 the columns, then bit 2 swaps the two axes. Both forms give the same bytes.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgesr.train.pixels import Pixels
from edgesr.train.sampler import Crops

Samples = NDArray[np.integer[Any]]


def gather(pixels: Pixels, crops: Crops, patch: int, margin: int = 0) -> tuple[Tensor, ...]:
    """Cut a batch by one index computation: no loop, no kernel of our own, all on the device.

    Args:
        pixels: the buffers; `crops` must be on their device.
        crops: where and how.
        patch: LR side.
        margin: LR pixels around the HR crop that are cut with it; beyond the picture its border is
            repeated.

    Returns:
        lr (batch, 3, patch, patch) and hr (batch, 3, side, side) of scale*(patch + 2*margin), uint8
        RGB, and where `pixels` has a teacher's outputs, these, (batch, 3, scale*patch, scale*patch)
        int16; all channels last in memory.
    """
    return tuple(
        buffer[_index(crops, patch, scale, around)].permute(0, 3, 1, 2)
        for buffer, scale, around in _buffers(pixels, margin)
    )


def _buffers(pixels: Pixels, margin: int) -> Iterator[tuple[Tensor, int, int]]:
    """Yield what is cut: buffer, factor between its sides and those of LR, LR pixels around."""
    yield pixels.lr, 1, 0
    yield pixels.hr, pixels.scale, margin
    if pixels.taught is not None:
        yield pixels.taught, pixels.scale, 0


def _index(crops: Crops, patch: int, scale: int, margin: int) -> Tensor:
    """(batch, side, side): flat position of every pixel of the crops."""
    # Enlarged, a picture begins scale^2 times further on and its rows are scale times longer.
    height, width = ((side * scale)[:, None, None] for side in (crops.height, crops.width))
    y, x = _oriented(patch * scale, margin * scale, crops.turn)
    row = (crops.row * scale)[:, None, None] + y
    column = (crops.column * scale)[:, None, None] + x
    if margin:
        row = torch.minimum(row.clamp(min=0), height - 1)
        column = torch.minimum(column.clamp(min=0), width - 1)
    return (crops.offset * scale**2)[:, None, None] + row * width + column


def _oriented(side: int, margin: int, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Source row and column of each pixel of a turned square and what lies around it."""
    line = torch.arange(-margin, side + margin, device=turn.device)
    y, x = line[None, :, None], line[None, None, :]
    mirror_rows, mirror_columns, swap = (
        (turn >> bit & 1).bool()[:, None, None] for bit in range(3)
    )
    y, x = torch.where(swap, x, y), torch.where(swap, y, x)
    y = torch.where(mirror_rows, side - 1 - y, y)
    x = torch.where(mirror_columns, side - 1 - x, x)
    return y, x


def slices(
    pixels: Pixels, crops: Crops, patch: int, pin: bool, margin: int = 0
) -> tuple[Tensor, ...]:
    """Cut a batch on the host: copies of rows are many times faster there than single pixels.

    Args:
        pixels: the buffers, in memory or mapped from a file.
        crops: where and how, on the CPU.
        patch: LR side.
        pin: put the result into pinned memory, from which copies to a GPU overlap with its work.
        margin: as in `gather`.

    Returns:
        As `gather`.
    """
    return tuple(
        _sliced(buffer, crops, patch, scale, around, pin)
        for buffer, scale, around in _buffers(pixels, margin)
    )


def _sliced(buffer: Tensor, crops: Crops, patch: int, scale: int, margin: int, pin: bool) -> Tensor:
    side = (patch + 2 * margin) * scale
    batch = torch.empty(len(crops.turn), side, side, 3, dtype=buffer.dtype, pin_memory=pin)
    out, source = batch.numpy(), buffer.numpy()
    fields = (crops.offset, crops.height, crops.width, crops.row, crops.column, crops.turn)
    for target, *numbers in zip(out, *(field.tolist() for field in fields), strict=True):
        offset, height, width, row, column, turn = numbers
        first, pixels = offset * scale**2, height * width * scale**2
        picture = source[first : first + pixels].reshape(height * scale, width * scale, 3)
        square = _square(picture, (row - margin) * scale, (column - margin) * scale, side)
        square = square[::-1] if turn & 1 else square
        square = square[:, ::-1] if turn & 2 else square
        target[:] = square.swapaxes(0, 1) if turn & 4 else square
    return batch.permute(0, 3, 1, 2)


def _square(picture: Samples, top: int, left: int, side: int) -> Samples:
    """Cut a square that may reach beyond the picture, whose border is then repeated."""
    height, width = picture.shape[:2]
    inside = picture[max(top, 0) : top + side, max(left, 0) : left + side]
    if inside.shape[:2] == (side, side):
        return inside
    beyond = [
        (max(-start, 0), max(start + side - length, 0))
        for start, length in ((top, height), (left, width))
    ]
    return np.pad(inside, (*beyond, (0, 0)), mode="edge")
