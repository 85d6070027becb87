"""Locality and the norm behind it; the kernels' own small cases are in tests/scan."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from edgesr.models.local_norm import BACKWARD, FORWARD, Locality, _launch, add_and_normalise
from edgesr.models.token_norm import TokenNorm

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
FLOAT32_LIMIT = 1e-5
BFLOAT16_LIMIT = 1e-2


def layers(width: int, side: int) -> tuple[Locality, TokenNorm]:
    torch.manual_seed(width + side)
    locality, norm = Locality(width, side), TokenNorm(width)
    for parameter in (*locality.parameters(), *norm.parameters()):
        torch.nn.init.normal_(parameter)
    return locality, norm


def expected(
    t: Tensor, kernel: Tensor, gain: Tensor, offset: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Write the formula out, shift by shift: u = t + sum of taps, then LayerNorm of u."""
    batch, _, width = t.shape
    reach = kernel.shape[-1] // 2
    picture = F.pad(t.reshape(batch, *size, width), (0, 0, reach, reach, reach, reach))
    u = t.reshape(batch, *size, width)
    for down in range(kernel.shape[-1]):
        for right in range(kernel.shape[-1]):
            moved = picture[:, down : down + size[0], right : right + size[1]]
            u = u + moved * kernel[:, 0, down, right]
    u = u.reshape(t.shape)
    variance, mean = torch.var_mean(u, -1, correction=0, keepdim=True)
    return u, (u - mean) / (variance + 1e-5).sqrt() * gain + offset


@pytest.mark.parametrize("side", [1, 3, 5])
def test_is_its_formula(side: int) -> None:
    locality, norm = layers(6, side)
    t = torch.randn(3, 35, 6)
    u, y = add_and_normalise(t, locality, norm, 5, 7)
    want = expected(t, locality.weight, norm.weight, norm.bias, (5, 7))
    torch.testing.assert_close((u, y), want)


@needs_gpu
@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize(
    ("batch", "size", "width"),
    [
        (1, (5, 7), 32),  # one program, in part
        (3, (8, 8), 36),  # rows that fill their strips
        (5, (37, 19), 40),  # the last ones in part, both ways
        (16, (64, 64), 60),  # all whole
        (33, (47, 64), 32),  # the last rows in part
    ],
)
def test_gpu_equals_its_formula(
    batch: int,
    size: tuple[int, int],
    width: int,
    side: int,
    dtype: torch.dtype,
    autocast: bool,
) -> None:
    locality, norm = (layer.cuda() for layer in layers(width, side))
    t = torch.randn(batch, size[0] * size[1], width, device="cuda").to(dtype).requires_grad_()
    programs = [_launch(t, locality.weight, size, share)[0] for share in (FORWARD, BACKWARD)]
    assert min(programs) > 1 or batch == 1
    with torch.autocast("cuda", torch.bfloat16, enabled=autocast):
        u, y = add_and_normalise(t, locality, norm, *size)
    assert u.dtype == dtype
    assert y.dtype == (torch.bfloat16 if autocast else dtype)
    du, dy = torch.randn_like(u), torch.randn_like(y)
    torch.autograd.backward((u, y), (du, dy))
    leaves = [t, locality.weight, norm.weight, norm.bias]
    exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
    want = expected(exact[0], exact[1], exact[2], exact[3], size)
    torch.autograd.backward(want, (du.double(), dy.double()))
    pairs = {"u": (u, want[0]), "y": (y, want[1])}
    for name, leaf, true in zip(("t", "kernel", "gain", "offset"), leaves, exact, strict=True):
        pairs[name] = leaf.grad, true.grad
    limit = FLOAT32_LIMIT if dtype == torch.float32 and not autocast else BFLOAT16_LIMIT
    for name, (got, true) in pairs.items():
        assert got is not None and true is not None
        assert (got.double() - true).norm() < limit * true.norm(), name
