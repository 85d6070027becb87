"""Choosing among candidates before the pixel shuffle is choosing among them after it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from edgesr.models.candidates import largest, split, weighed

SCALE, CANDIDATES = 3, 5


def features(parts: int) -> Tensor:
    generator = torch.Generator().manual_seed(parts)
    shape = (2, parts * CANDIDATES * SCALE**2, 4, 6)
    return torch.randn(shape, dtype=torch.float64, generator=generator).requires_grad_()


def weighed_last(x: Tensor) -> Tensor:
    """As the authors write it."""
    value, key = F.pixel_shuffle(x, SCALE).chunk(2, dim=1)
    return (value * (30 * key).softmax(dim=1)).sum(dim=1, keepdim=True)


def weighed_first(x: Tensor) -> Tensor:
    value, key = split(x, 2, SCALE)
    return weighed(value, 30 * key, SCALE)


def test_weighing_first_gives_the_same_values_and_gradients() -> None:
    x = features(2)
    first, last = weighed_first(x), weighed_last(x)
    torch.testing.assert_close(first, last, rtol=1e-12, atol=1e-12)
    slope = torch.randn(first.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(7))
    gradients = [torch.autograd.grad(out, x, slope)[0] for out in (first, last)]
    torch.testing.assert_close(*gradients, rtol=1e-11, atol=1e-11)


def test_the_largest_first_gives_the_same_values_and_gradients() -> None:
    x = features(1)
    first = largest(split(x, 1, SCALE)[0], SCALE)
    last = F.pixel_shuffle(x, SCALE).amax(dim=1, keepdim=True)
    torch.testing.assert_close(first, last, rtol=0, atol=0)
    gradients = [torch.autograd.grad(out.sum(), x)[0] for out in (first, last)]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_scores_beyond_the_range_of_the_exponential_keep_the_weights_finite() -> None:
    score = torch.tensor([9e4, 9e4, -9e4]).view(1, 3, 1, 1, 1)
    value = torch.tensor([2.0, 4.0, 1e3]).view(1, 3, 1, 1, 1)
    assert weighed(value, score, 1).item() == 3.0
