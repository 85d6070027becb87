"""What a JPEG file does to pictures, for a whole batch at once on the device: no bytes are made.

Only quantisation loses anything for good, so the entropy coding is left out. The rest follows
libjpeg: full-range YCbCr (JFIF 1.02), chroma halved on both axes (4:2:0) by the mean of four pixels
and doubled again by its triangular filter, an 8x8 DCT, the tables of Annex K of ITU-T T.81 scaled
by quality as libjpeg scales them, values rounded to integers wherever a decoder holds integers.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from edgesr.train.degradation.constants import constant

BLOCK = 8
UNIT = 16  # pixels of a coded unit: two blocks of luma over one of chroma

LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)  # table K.1
CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99),
)  # table K.2


def through_jpeg(pictures: Tensor, quality: Tensor) -> Tensor:
    """Return pictures as they come back from JPEG files.

    Args:
        pictures: (batch, 3, height, width) RGB, whole numbers from 0 to 255 as floats; sides are
            multiples of `UNIT`.
        quality: (batch,), whole numbers from 1 to 100, as libjpeg counts them.

    Returns:
        The same shape, whole numbers from 0 to 255.
    """
    y, cb, cr = _to_ycc(pictures).unbind(1)
    chroma = _halved(torch.stack([cb, cr], dim=1))
    y = _quantised(y.unsqueeze(1), _table(LUMA, quality))
    chroma = _doubled(_quantised(chroma, _table(CHROMA, quality)))
    return _to_rgb(y[:, 0], chroma[:, 0], chroma[:, 1])


def _table(base: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """(batch,) -> (batch, 1, 1, 1, 8, 8): steps of quantisation, libjpeg's jpeg_quality_scaling."""
    percent = torch.where(quality < 50, torch.floor(5000 / quality), 200 - 2 * quality)
    table = constant(base, quality.device)
    steps = torch.floor((table * percent[:, None, None] + 50) / 100).clamp(1, 255)
    return steps[:, None, None, None]


def _cosines(like: Tensor) -> Tensor:
    """(8, 8): rows are the orthonormal vectors of the DCT-II."""
    at = torch.arange(BLOCK, dtype=like.dtype, device=like.device)
    basis = torch.cos((2 * at + 1) * at[:, None] * math.pi / (2 * BLOCK)) / 2
    basis[0] /= math.sqrt(2)
    return basis


def _quantised(planes: Tensor, table: Tensor) -> Tensor:
    """(batch, c, h, w) -> the same, every 8x8 block taken to whole steps of its table and back."""
    batch, channels, height, width = planes.shape
    blocks = planes.view(batch, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    dct = _cosines(planes)
    spectrum = dct @ (blocks.transpose(3, 4) - 128) @ dct.T
    steps = spectrum / table
    # Halves go away from zero; a sum of whole numbers hits them often, within float32's rounding.
    spectrum = torch.floor(steps.abs() + (0.5 + 1e-4)) * steps.sign() * table
    blocks = dct.T @ spectrum @ dct + 128
    return _whole(blocks).transpose(3, 4).reshape(batch, channels, height, width)


def _whole(values: Tensor) -> Tensor:
    """Round halves up and keep within 0 to 255."""
    return torch.floor(values + 0.5).clamp(0, 255)


def _to_ycc(rgb: Tensor) -> Tensor:
    r, g, b = rgb.unbind(1)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return _whole(torch.stack([y, (b - y) / 1.772 + 128, (r - y) / 1.402 + 128], dim=1))


def _to_rgb(y: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
    cb, cr = cb - 128, cr - 128
    green = y - 0.344136 * cb - 0.714136 * cr
    return _whole(torch.stack([y + 1.402 * cr, green, y + 1.772 * cb], dim=1))


def _halved(chroma: Tensor) -> Tensor:
    """Mean of four pixels; a half is rounded up in every second column, as libjpeg does."""
    sums = 4 * F.avg_pool2d(chroma, 2)
    bias = 1 + torch.arange(sums.shape[-1], device=sums.device) % 2
    return torch.floor((sums + bias) / 4)


def _doubled(chroma: Tensor) -> Tensor:
    """Three parts of the pixel itself, one of its neighbour, on both axes (libjpeg's h2v2)."""
    rows = _beside(chroma, 2)
    columns = _beside(rows, 3)
    bias = 8 - torch.arange(columns.shape[-1], device=columns.device) % 2
    return torch.floor((columns + bias) / 16)


def _beside(x: Tensor, axis: int) -> Tensor:
    """Twice as many samples along an axis: 3 x + the one before, 3 x + the one after, in turn."""
    length = x.shape[axis]
    before = torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, length - 1)], dim=axis)
    after = torch.cat([x.narrow(axis, 1, length - 1), x.narrow(axis, length - 1, 1)], dim=axis)
    return torch.stack([3 * x + before, 3 * x + after], dim=axis + 1).flatten(axis, axis + 1)
