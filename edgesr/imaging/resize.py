"""Bicubic resizing as MATLAB's `imresize` does it, in NumPy.

The kernel is Keys' cubic with a = -0.5 (R. Keys, "Cubic convolution interpolation for digital image
processing", 1981). When shrinking it is widened by the factor, so that it also removes the
frequencies the small picture cannot hold, and each output's weights are normalised to sum 1.
This is the degradation by which the LR files of the super-resolution benchmarks were made: samples
outside the picture repeat its border, heights are resized before widths, and integer pictures are
rounded to their type after each of the two passes.
"""

import math
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ConfigError, ImageError

Pixel = TypeVar("Pixel", np.uint8, np.uint16, np.float32, np.float64)

_KERNEL_WIDTH = 4.0
_BLOCK = 16  # outputs per matrix product; the band of one block stays narrow and in the cache
_TIE = 2.0**-30  # an exact half rounds up on every machine, however its sum was ordered


class Contributions(NamedTuple):
    """What each output sample of one axis is made of.

    Attributes:
        indices: int64 (out_length, taps), positions in the input, clamped to its range.
        weights: float64 (out_length, taps); each row sums to 1.
    """

    indices: NDArray[np.int64]
    weights: NDArray[np.float64]


def cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate Keys' cubic kernel with a = -0.5 at x (any shape); it is zero for |x| >= 2."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1.0, near, np.where(x < 2.0, far, 0.0))


def resized_length(length: int, scale: float) -> int:
    """Return ceil(length * scale), taking a product within rounding of a whole number as whole."""
    return max(1, math.ceil(length * scale - 1e-6))


def contributions(length: int, scale: float) -> Contributions:
    """Return the input positions and weights of every output sample along one axis.

    Output sample i has its centre at input coordinate (i + 0.5) / scale - 0.5. For a whole factor
    or its inverse the weights repeat (`scale` phases when enlarging, one when shrinking), so a
    strided or polyphase convolution over a picture padded by its border values does the same.

    Args:
        length: input samples, at least 1.
        scale: output over input length, above 0; below 1 the kernel is widened by 1 / scale.

    Raises:
        ConfigError: length below 1, or scale not a positive finite number.
    """
    if length < 1 or not (math.isfinite(scale) and scale > 0):
        raise ConfigError(
            f"cannot resize {length} samples by {scale}",
            fix="a length of 1 or more, a scale above 0",
        )
    stretch = min(scale, 1.0)
    width = _KERNEL_WIDTH / stretch
    centres = (np.arange(resized_length(length, scale)) + 0.5) / scale - 0.5
    first = np.floor(centres - width / 2).astype(np.int64)
    indices = first[:, None] + np.arange(math.ceil(width) + 2)
    weights = cubic((centres[:, None] - indices) * stretch)
    used = np.any(weights != 0.0, axis=0)
    indices, weights = indices[:, used], weights[:, used]
    weights /= weights.sum(axis=1, keepdims=True)
    return Contributions(np.clip(indices, 0, length - 1), weights)


def imresize(image: NDArray[Pixel], scale: float) -> NDArray[Pixel]:
    """Resize a picture by a factor, shrinking with antialiasing or enlarging.

    Integer pictures are rounded (half up) and clipped to their type after each pass, as MATLAB
    does; float pictures are neither rounded nor clipped, so overshoot at edges survives.

    Args:
        image: (height, width) or (height, width, channels); uint8, uint16, float32 or float64.
        scale: output over input side; 1 / 4 makes the LR picture of a x4 benchmark.

    Returns:
        The resized picture: same type and channels, sides ceil(scale * side).

    Raises:
        ConfigError: scale is not a positive finite number.
        ImageError: no pixels, or not a shape or type listed above.
    """
    if image.ndim not in {2, 3} or 0 in image.shape:
        raise ImageError(f"cannot resize an array of shape {image.shape}", fix="pass HW or HWC")
    if image.dtype not in {np.dtype(t) for t in (np.uint8, np.uint16, np.float32, np.float64)}:
        raise ImageError(f"cannot resize pixels of type {image.dtype}", fix="pass uint8 or float32")
    lower = _resize_rows(image, contributions(image.shape[0], scale))
    turned = _resize_rows(np.swapaxes(lower, 0, 1), contributions(image.shape[1], scale))
    return np.ascontiguousarray(np.swapaxes(turned, 0, 1))


def resize_to(image: NDArray[Pixel], height: int, width: int) -> NDArray[Pixel]:
    """Resize a picture to exactly these sides, as `imresize` does by a factor.

    Args:
        image: (height, width) or (height, width, channels), as for `imresize`.
        height: of the result, in pixels.
        width: of the result, in pixels.

    Raises:
        ConfigError: a side below 1.
    """
    lower = _resize_rows(image, contributions(image.shape[0], height / image.shape[0]))
    factor = width / image.shape[1]
    turned = _resize_rows(np.swapaxes(lower, 0, 1), contributions(image.shape[1], factor))
    return np.ascontiguousarray(np.swapaxes(turned, 0, 1))


def modcrop(image: NDArray[Pixel], multiple: int) -> NDArray[Pixel]:
    """Cut a picture from the top left so that both sides are multiples of `multiple`.

    Args:
        image: (height, width) or (height, width, channels), at least `multiple` on each side.
        multiple: the scale by which the picture will be shrunk.

    Raises:
        ImageError: the picture is smaller than `multiple`.
    """
    height, width = (side // multiple * multiple for side in image.shape[:2])
    if not (height and width):
        raise ImageError(f"{image.shape[1]}x{image.shape[0]} pixels cannot be shrunk {multiple}x")
    return np.ascontiguousarray(image[:height, :width])


def _resize_rows(image: NDArray[Any], parts: Contributions) -> NDArray[Any]:
    """Resize axis 0: block after block of outputs, each one product with a narrow dense matrix."""
    indices, weights = parts
    out_length = len(indices)
    result = np.empty((out_length, *image.shape[1:]), image.dtype)
    for start in range(0, out_length, _BLOCK):
        block = slice(start, min(start + _BLOCK, out_length))
        low, high = int(indices[block].min()), int(indices[block].max()) + 1
        matrix = np.zeros((block.stop - start, high - low))
        rows = np.arange(len(matrix))[:, None]
        np.add.at(matrix, (rows, indices[block] - low), weights[block])  # clamped taps add up
        samples = image[low:high].astype(np.float64).reshape(high - low, -1)
        result[block] = _as_type(matrix @ samples, image.dtype).reshape(result[block].shape)
    return result


def _as_type(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "f":
        return values.astype(dtype)
    values += 0.5 + _TIE
    np.floor(values, out=values)
    return np.clip(values, 0, np.iinfo(dtype).max, out=values).astype(dtype)
