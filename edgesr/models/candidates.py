"""eSR's last step: C candidates for each pixel become one, and only then one plane is shuffled.

The authors shuffle first and choose among planes of the large size. A pixel shuffle only moves
values, so choosing first gives the same picture, and 1 plane is moved instead of up to 3 C.
"""

import torch.nn.functional as F
from torch import Tensor


def split(features: Tensor, parts: int, scale: int) -> tuple[Tensor, ...]:
    """Take features apart as they would be after a pixel shuffle.

    Args:
        features: (batch, parts * C * scale^2, h, w).
        parts: such as value and key.
        scale: factor between input and output sides.

    Returns:
        `parts` tensors (batch, C, scale^2, h, w).
    """
    batch, _, h, w = features.shape
    return features.view(batch, -1, scale**2, h, w).chunk(parts, dim=1)


def largest(value: Tensor, scale: int) -> Tensor:
    """(batch, C, scale^2, h, w) -> (batch, 1, scale*h, scale*w)."""
    return F.pixel_shuffle(value.amax(dim=1), scale)


def weighed(value: Tensor, score: Tensor, scale: int) -> Tensor:
    """Sum of `value` times the softmax of `score` over the candidates.

    Written out, because runtimes have a fast softmax over the last axis only: ONNX Runtime
    otherwise transposes there and back, which takes longer than the rest of the network.

    Args:
        value: (batch, C, scale^2, h, w).
        score: the same shape.
        scale: factor between input and output sides.

    Returns:
        (batch, 1, scale*h, scale*w).
    """
    # What is taken off cancels out, so no gradient has to pass through it.
    weight = (score - score.amax(dim=1, keepdim=True).detach()).exp()
    return F.pixel_shuffle((value * weight).sum(dim=1) / weight.sum(dim=1), scale)
