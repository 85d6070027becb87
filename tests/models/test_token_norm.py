"""TokenNorm: nn.LayerNorm with a fused form for GPUs; the kernels' own cases are in tests/scan."""

import pytest
import torch
from torch import nn

from edgesr.models.token_norm import TokenNorm

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


def test_is_layer_norm_on_the_cpu() -> None:
    ours, theirs = TokenNorm(12), nn.LayerNorm(12)
    nn.init.normal_(theirs.weight)
    nn.init.normal_(theirs.bias)
    ours.load_state_dict(theirs.state_dict())
    tokens = torch.randn(2, 7, 12)
    assert torch.equal(ours(tokens), theirs(tokens))


@needs_gpu
@pytest.mark.parametrize("width", [32, 60])
@pytest.mark.parametrize("compiled", [False, True])
def test_gpu_equals_layer_norm(width: int, compiled: bool) -> None:
    ours, theirs = TokenNorm(width).cuda(), nn.LayerNorm(width).double().cuda()
    nn.init.normal_(ours.weight)
    nn.init.normal_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    tokens = torch.randn(3, 1001, width, device="cuda", requires_grad=True)
    exact = tokens.detach().double().requires_grad_()
    dy = torch.randn_like(tokens)
    run = torch.compile(ours) if compiled else ours
    y, want = run(tokens), theirs(exact)
    y.backward(dy)
    want.backward(dy.double())
    pairs = [(y, want), (tokens.grad, exact.grad)]
    pairs += [(ours.weight.grad, theirs.weight.grad), (ours.bias.grad, theirs.bias.grad)]
    for got, true in pairs:
        assert (got.double() - true).norm() < 1e-5 * true.norm()


@needs_gpu
@pytest.mark.parametrize(("stream", "dtype"), [(False, torch.bfloat16), (True, torch.float32)])
def test_gpu_dtype_under_autocast(stream: bool, dtype: torch.dtype) -> None:
    norm = TokenNorm(32, stream).cuda()
    with torch.autocast("cuda", torch.bfloat16):
        assert norm(torch.randn(2, 5, 32, device="cuda")).dtype == dtype
