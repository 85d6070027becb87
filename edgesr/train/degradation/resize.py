"""Resizing as matrix products, with a size, a place and a kernel of its own for every picture.

Along one axis an output sample is a weighted sum of input samples, so a batch of resizings is a
batch of matrices. When shrinking, kernels are widened so that they also remove what the small
picture cannot hold; rows sum to 1. `BICUBIC` is that of edgesr/imaging/resize.py.
"""

import torch
from torch import Tensor

BICUBIC, BILINEAR, AREA = 0, 1, 2
KERNELS = 3


def matrices(centres: Tensor, step: Tensor, kernel: Tensor, samples: Tensor, length: int) -> Tensor:
    """Return the weights of every output sample along one axis.

    Args:
        centres: (batch, outputs): positions in input samples, where sample k has its centre at k;
            those beyond the first and last sample are taken to these.
        step: (batch,): input samples from one output sample to the next.
        kernel: (batch,): BICUBIC, BILINEAR or AREA.
        samples: (batch,): samples that the input really has, at most `length`.
        length: samples of the input as it is stored.

    Returns:
        (batch, outputs, length).
    """
    at = torch.arange(length, device=centres.device)
    last = (samples - 1)[:, None]
    centres = torch.minimum(centres.clamp(min=0), last)
    stretch = step.clamp(min=1)[:, None, None]
    distance = (centres[..., None] - at).abs() / stretch
    which = kernel[:, None, None]
    weights = torch.where(which == BICUBIC, _cubic(distance), (1 - distance).clamp(min=0))
    weights = torch.where(which == AREA, _overlap(distance, stretch), weights)
    weights = torch.where(at <= last[..., None], weights, 0.0)
    return weights / weights.sum(-1, keepdim=True)


def resize(pictures: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(batch, c, h, w), (batch, H, h), (batch, W, w) -> (batch, c, H, W)."""
    return rows[:, None] @ pictures @ columns[:, None].transpose(2, 3)


def _cubic(x: Tensor) -> Tensor:
    """Keys' kernel with a = -0.5."""
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return torch.where(x <= 1, near, torch.where(x < 2, far, 0.0))


def _overlap(distance: Tensor, stretch: Tensor) -> Tensor:
    """Share of an input sample, one wide, that lies under an output sample, `stretch` wide."""
    return ((1 + stretch) / 2 - distance * stretch).clamp(0, 1)
