"""Cutting the crops of a batch out of the flat buffers: by index on a device, by slice on the host.

`turn` is one of the eight symmetries of a square, all flips and quarter turns: bit 0 mirrors the
rows, then bit 1 the columns, then bit 2 swaps the two axes. Both forms give the same bytes.
"""

import torch
from torch import Tensor

from edgesr.train.pixels import Pixels
from edgesr.train.sampler import Crops


def gather(pixels: Pixels, crops: Crops, patch: int) -> tuple[Tensor, Tensor]:
    """Cut a batch by one index computation: no loop, no kernel of our own, all on the device.

    Args:
        pixels: the buffers; `crops` must be on their device.
        crops: where and how.
        patch: LR side.

    Returns:
        lr (batch, 3, patch, patch) and hr (batch, 3, scale*patch, scale*patch), uint8 RGB,
        channels last in memory.
    """
    lr, hr = (
        buffer[_index(crops, patch, scale)].permute(0, 3, 1, 2)
        for buffer, scale in ((pixels.lr, 1), (pixels.hr, pixels.scale))
    )
    return lr, hr


def _index(crops: Crops, patch: int, scale: int) -> Tensor:
    """(batch, scale*patch, scale*patch): flat position of every pixel of the crops."""
    # Enlarged, a picture begins scale^2 times further on and its rows are scale times longer.
    row, column = crops.row * scale, crops.column * scale
    width = crops.width * scale
    start = crops.offset * scale**2 + row * width + column
    y, x = _oriented(patch * scale, crops.turn)
    return start[:, None, None] + y * width[:, None, None] + x


def _oriented(side: int, turn: Tensor) -> tuple[Tensor, Tensor]:
    """Source row and column of each pixel of a turned square, (batch, side, side) each."""
    line = torch.arange(side, device=turn.device)
    y, x = line[None, :, None], line[None, None, :]
    mirror_rows, mirror_columns, swap = (
        (turn >> bit & 1).bool()[:, None, None] for bit in range(3)
    )
    y, x = torch.where(swap, x, y), torch.where(swap, y, x)
    y = torch.where(mirror_rows, side - 1 - y, y)
    x = torch.where(mirror_columns, side - 1 - x, x)
    return y, x


def slices(pixels: Pixels, crops: Crops, patch: int, pin: bool) -> tuple[Tensor, Tensor]:
    """Cut a batch on the host: copies of rows are many times faster there than single pixels.

    Args:
        pixels: the buffers, in memory or mapped from a file.
        crops: where and how, on the CPU.
        patch: LR side.
        pin: put the result into pinned memory, from which copies to a GPU overlap with its work.

    Returns:
        As `gather`.
    """
    lr, hr = (
        _sliced(buffer, crops, patch, scale, pin)
        for buffer, scale in ((pixels.lr, 1), (pixels.hr, pixels.scale))
    )
    return lr, hr


def _sliced(buffer: Tensor, crops: Crops, patch: int, scale: int, pin: bool) -> Tensor:
    side = patch * scale
    batch = torch.empty(len(crops.turn), side, side, 3, dtype=torch.uint8, pin_memory=pin)
    out, source = batch.numpy(), buffer.numpy()
    fields = (crops.offset, crops.row, crops.column, crops.width, crops.turn)
    for target, *numbers in zip(out, *(field.tolist() for field in fields), strict=True):
        offset, row, column, width, turn = numbers
        first = offset * scale**2 + row * scale * width * scale
        rows = source[first : first + side * width * scale].reshape(side, width * scale, 3)
        square = rows[:, column * scale : column * scale + side]
        square = square[::-1] if turn & 1 else square
        square = square[:, ::-1] if turn & 2 else square
        target[:] = square.swapaxes(0, 1) if turn & 4 else square
    return batch.permute(0, 3, 1, 2)
