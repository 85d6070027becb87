"""TokenNorm: nn.LayerNorm with a fused form for GPUs; the kernels' own cases are in tests/scan."""

import pytest
import torch
from torch import nn

from edgesr.models import local_norm, mamba, token_norm
from edgesr.models.local_norm import Locality, add_and_normalise
from edgesr.models.mamba import Mamba
from edgesr.models.token_norm import TokenNorm

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


def test_is_layer_norm_on_the_cpu() -> None:
    ours, theirs = TokenNorm(12), nn.LayerNorm(12)
    nn.init.normal_(theirs.weight)
    nn.init.normal_(theirs.bias)
    ours.load_state_dict(theirs.state_dict())
    tokens = torch.randn(2, 7, 12)
    assert torch.equal(ours(tokens), theirs(tokens))


def test_the_fused_form_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a benchmark does where there is a GPU; here the kernels cannot run, so none is called."""
    monkeypatch.setattr(token_norm, "fused_available", lambda _: True)
    monkeypatch.setattr(local_norm, "fused_available", lambda _: True)
    norm, locality = TokenNorm(12), Locality(12, 3)
    nn.init.normal_(locality.weight)
    tokens = torch.randn(2, 12, 12)
    norm.fuse = False
    moved, found = add_and_normalise(tokens, locality, norm, 3, 4)
    picture = tokens.transpose(1, 2).reshape(2, 12, 3, 4)
    exact = tokens + locality(picture).flatten(2).transpose(1, 2)
    torch.testing.assert_close(moved, exact)
    torch.testing.assert_close(found, nn.LayerNorm(12)(exact))


def test_a_mixer_can_leave_its_fused_form_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = torch.randn(2, 12, 12)
    mixer = Mamba(12, 2, None)
    expected = mixer(tokens, 3, 4)
    monkeypatch.setattr(mamba, "fused_available", lambda _: True)
    monkeypatch.setattr(mamba, "fused_mixer", lambda xz, weights, path: xz[..., : mixer.inner])
    assert not torch.equal(mixer(tokens, 3, 4), expected)
    mixer.fuse = False
    assert torch.equal(mixer(tokens, 3, 4), expected)


@needs_gpu
@pytest.mark.parametrize("width", [32, 60])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")  # torch's own
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
