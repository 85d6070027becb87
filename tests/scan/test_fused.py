"""The fused kernels: under Triton's interpreter on the CPU, and on a GPU where there is one."""

import importlib.util
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from torch import Tensor

from edgesr.models.mamba import Mamba
from edgesr.scan.fused import fused_available, selective_scan_fused
from edgesr.scan.path import TURNS, Direction, ScanPath
from edgesr.scan.reference import selective_scan_reference
from edgesr.scan.selective import selective_scan

INTERPRETED = Path(__file__).with_name("interpreted_kernels.py")
SIXTEEN_BIT_LIMIT = 1e-2
FLOAT32_LIMIT = 1e-5
# A step size rounded to 8 bits moves a gradient through few tokens by some percent.
SIXTEEN_BIT_MIXER_LIMIT = 1e-1

SOME = (
    "odd segments",
    "float16",
    "gated, columns backward",
    "mixer of heads",
    "mixer along odd columns, backward",
    "norm of odd sizes",
    "locality of odd sizes",
)
"""Every kernel, sizes that are no multiple of a block, and all directions; the long run has all."""

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


def no_interpreter() -> str:
    """Return why Triton's interpreter cannot run here; empty: it can."""
    if importlib.util.find_spec("triton") is None:
        return "needs Triton"
    triton, numpy = (release(name) for name in ("triton", "numpy"))
    # Before 3.7 the interpreter took the bound of a loop as int() of an array of one number.
    if triton < (3, 7) and numpy >= (2, 4):
        return f"the interpreter of Triton {triton} cannot loop with NumPy {numpy}"
    return ""


def release(package: str) -> tuple[int, ...]:
    """Return the first two numbers of an installed package's version."""
    return tuple(int(part) for part in version(package).split(".")[:2])


needs_interpreter = pytest.mark.skipif(bool(no_interpreter()), reason=no_interpreter())


def test_not_for_cpu_tensors() -> None:
    assert not fused_available(torch.zeros(1))


@needs_interpreter
@pytest.mark.parametrize("cases", [SOME, pytest.param((), marks=pytest.mark.long)], ids=len)
def test_kernels_under_the_interpreter_equal_the_reference(cases: tuple[str, ...]) -> None:
    # A process of its own: Triton decides at import whether it interprets.
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    run = subprocess.run(
        [sys.executable, str(INTERPRETED), *cases],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert len(found) == (len(cases) or 31)
    for case, errors in found.items():
        limit = FLOAT32_LIMIT
        if "float16" in case:  # bfloat16 too
            limit = SIXTEEN_BIT_MIXER_LIMIT if "mixer" in case else SIXTEEN_BIT_LIMIT
        too_large = {name: error for name, error in errors.items() if not error < limit}
        assert not too_large, case


def draw(shape: tuple[int, int, int, int], dtype: torch.dtype) -> list[Tensor]:
    """Return the inputs on the GPU, B and C as slices of one projection."""
    batch, length, channels, states = shape
    x = torch.randn(batch, length, channels, device="cuda").to(dtype)
    dt = torch.empty(batch, length, channels, device="cuda").uniform_(-7, -2).exp().to(dtype)
    projected = torch.randn(batch, length, 2 + 2 * states, device="cuda").to(dtype)
    b, c = projected[..., 2:].chunk(2, dim=-1)
    a = -torch.empty(channels, states, device="cuda").uniform_(0.5, 16.0)
    return [x, dt, a, b, c, torch.randn(channels, device="cuda")]


def assert_equals_reference(
    inputs: list[Tensor], limit: float, path: ScanPath | None = None
) -> None:
    leaves = [t.detach().requires_grad_() for t in inputs]
    exact = [t.detach().double().requires_grad_() for t in inputs]
    y = selective_scan_fused(*leaves, path=path)
    assert y.dtype == inputs[0].dtype
    dy = torch.randn_like(y)
    y.backward(dy)
    want = selective_scan_reference(*exact, path=path)
    want.backward(dy.double())
    pairs = {"y": (y, want)}
    for name, leaf, true in zip(("x", "dt", "A", "B", "C", "D"), leaves, exact, strict=True):
        assert leaf.grad is not None and true.grad is not None
        assert leaf.grad.dtype == leaf.dtype
        pairs[name] = leaf.grad, true.grad
    for name, (got, true) in pairs.items():
        scale = true.norm().item() or 1.0
        assert (got.double() - true).norm().item() < limit * scale, name


@needs_gpu
@pytest.mark.parametrize(
    "shape",
    [(2, 1, 8, 16), (3, 37, 33, 5), (1, 1000, 64, 16), (64, 100, 64, 16), (2, 50, 120, 16)]
    + [(1, 40, 64, states) for states in (1, 2, 4, 8, 31, 32)],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_gpu_equals_reference(shape: tuple[int, int, int, int], dtype: torch.dtype) -> None:
    limit = FLOAT32_LIMIT if dtype == torch.float32 else SIXTEEN_BIT_LIMIT
    assert_equals_reference(draw(shape, dtype), limit)


@needs_gpu
@pytest.mark.parametrize("direction", TURNS)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (17, 33), (8, 5), (128, 3)])
def test_gpu_walks_along_every_path(height: int, width: int, direction: Direction) -> None:
    path = ScanPath(height, width, direction)
    assert_equals_reference(draw((2, path.length, 40, 2), torch.float32), FLOAT32_LIMIT, path)


@needs_gpu
def test_gpu_long_sequence() -> None:
    assert_equals_reference(draw((1, 65536, 8, 2), torch.float32), FLOAT32_LIMIT)


@needs_gpu
def test_gpu_transposed_input_and_mixed_dtypes() -> None:
    inputs = draw((2, 64, 32, 4), torch.bfloat16)
    inputs[0] = inputs[0].transpose(1, 2).contiguous().transpose(1, 2)
    inputs[1] = inputs[1].float()
    assert_equals_reference(inputs, SIXTEEN_BIT_LIMIT)


@needs_gpu
def test_gpu_launches_again_for_one_layout_and_for_another_alignment() -> None:
    for _ in range(3):  # the first launch goes through Triton, the others repeat it
        assert_equals_reference(draw((1, 256, 16, 4), torch.float32), FLOAT32_LIMIT)
    inputs = draw((1, 256, 16, 4), torch.float32)
    x = torch.empty(inputs[0].numel() + 1, device="cuda")[1:].view_as(inputs[0])
    assert x.data_ptr() % 16
    assert_equals_reference([x.copy_(inputs[0]), *inputs[1:]], FLOAT32_LIMIT)


@needs_gpu
def test_gpu_runs_it_for_cuda_tensors() -> None:
    inputs = draw((1, 16, 16, 4), torch.float32)
    assert fused_available(inputs[0])
    assert torch.equal(selective_scan(*inputs), selective_scan_fused(*inputs))


@needs_gpu
@pytest.mark.parametrize("heads", [None, 4])
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("direction", TURNS)
def test_gpu_mixer_equals_its_specification(
    heads: int | None, bf16: bool, direction: Direction
) -> None:
    mixer = Mamba(32, 16, None, heads, direction).cuda()
    tokens = torch.randn(4, 200, 32, device="cuda")
    dy = torch.randn_like(tokens)
    with torch.autocast("cuda", torch.bfloat16, enabled=bf16):
        y = mixer(tokens, 8, 25)
    y.backward(dy.to(y.dtype))
    got = {"y": y.detach()} | {n: p.grad.clone() for n, p in mixer.named_parameters()}
    mixer.zero_grad()
    mixer.double().cpu()
    y = mixer(tokens.double().cpu(), 8, 25)
    y.backward(dy.double().cpu())
    want = {"y": y.detach()} | {n: p.grad for n, p in mixer.named_parameters()}
    for name, true in want.items():
        error = (got[name].double().cpu() - true).norm() / true.norm()
        assert error < (SIXTEEN_BIT_MIXER_LIMIT if bf16 else FLOAT32_LIMIT), name
