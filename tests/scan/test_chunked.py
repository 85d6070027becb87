"""The chunked scan equals the reference: values and all six gradients, in float64 to 1e-9."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edgesr.scan.chunked import selective_scan_chunked
from edgesr.scan.reference import selective_scan_reference
from edgesr.scan.selective import selective_scan

NAMES = ("x", "dt", "A", "B", "C", "D")


def scan_inputs(
    batch: int, length: int, channels: int, state: int, dt_scale: float = 0.1, seed: int = 0
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    dt = torch.rand(batch, length, channels, generator=generator, dtype=torch.float64) * dt_scale
    A = -torch.arange(1.0, state + 1, dtype=torch.float64) * normal(channels, 1).exp()
    return [
        normal(batch, length, channels),
        dt,
        A,
        normal(batch, length, state),
        normal(batch, length, state),
        normal(channels),
    ]


def _values_and_gradients(scan, inputs: list[Tensor]) -> list[Tensor]:
    leaves = [tensor.clone().requires_grad_() for tensor in inputs]
    y = scan(*leaves)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y)
    return [y.detach(), *torch.autograd.grad((y * weights).sum(), leaves)]


def _assert_equal(inputs: list[Tensor]) -> None:
    expected = _values_and_gradients(selective_scan_reference, inputs)
    got = _values_and_gradients(selective_scan_chunked, inputs)
    for name, ours, theirs in zip(("y", *NAMES), got, expected, strict=True):
        assert torch.isfinite(ours).all(), name
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9, msg=f"differs in {name}")


@pytest.mark.parametrize("length", [1, 2, 3, 16, 17, 63, 64, 65, 150])
@pytest.mark.parametrize("batch", [1, 3])
def test_lengths_and_batches(length: int, batch: int) -> None:
    _assert_equal(scan_inputs(batch, length, 5, 4))


@pytest.mark.parametrize("state", [1, 2, 16, 32])
def test_state_sizes(state: int) -> None:
    _assert_equal(scan_inputs(2, 37, 3, state))


@pytest.mark.parametrize("dt_scale", [0.0, 1e-300, 1e-12, 10.0, 1e4, 1e200])
def test_extreme_steps(dt_scale: float) -> None:
    """No decay at all, decays that round to 1, and decays that underflow to 0."""
    inputs = scan_inputs(2, 50, 3, 4, dt_scale)
    if dt_scale > 1e4:
        inputs[0] = inputs[0] / dt_scale  # keeps dt x finite; exp(dt A) is what is extreme
    _assert_equal(inputs)


def test_steps_of_mixed_extremes() -> None:
    inputs = scan_inputs(1, 40, 4, 4)
    inputs[1][:, ::3] = 0.0
    inputs[1][:, 1::3] = 800.0
    _assert_equal(inputs)


@settings(max_examples=25)
@given(
    batch=st.integers(1, 3),
    length=st.integers(1, 70),
    channels=st.integers(1, 6),
    state=st.integers(1, 8),
    dt_scale=st.floats(0, 20),
    seed=st.integers(0, 1000),
)
def test_any_shape(
    batch: int, length: int, channels: int, state: int, dt_scale: float, seed: int
) -> None:
    _assert_equal(scan_inputs(batch, length, channels, state, dt_scale, seed))


def test_gradient_in_slices_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch too large to hold at once is taken in slices, with the same result."""
    monkeypatch.setattr("edgesr.scan.chunked.MAX_STATES", 2 * 30 * 3 * 4)
    _assert_equal(scan_inputs(5, 30, 3, 4))


def test_float32_is_close() -> None:
    inputs = [tensor.float() for tensor in scan_inputs(2, 1000, 8, 16)]
    y = selective_scan_chunked(*inputs)
    exact = selective_scan_reference(*(tensor.double() for tensor in inputs))
    assert y.dtype == torch.float32
    assert (y - exact).abs().max() < 1e-5 * exact.abs().max()


def test_half_precision_computes_in_float32() -> None:
    inputs = [tensor.bfloat16() for tensor in scan_inputs(1, 100, 4, 4)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = selective_scan_chunked(*inputs)
    exact = selective_scan_reference(*(tensor.double() for tensor in inputs))
    assert y.dtype == torch.bfloat16
    assert (y - exact).abs().max() < 2**-8 * exact.abs().max()


def test_the_dispatcher_on_the_cpu_is_the_chunked_form() -> None:
    inputs = scan_inputs(2, 20, 3, 4)
    assert torch.equal(selective_scan(*inputs), selective_scan_chunked(*inputs))
