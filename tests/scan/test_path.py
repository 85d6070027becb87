"""Paths over a picture, and every form of the scan along them."""

import numpy as np
import pytest
import torch

from edgesr.models.mamba import Mamba
from edgesr.scan.chunked import selective_scan_chunked
from edgesr.scan.path import TURNS, Direction, ScanPath
from edgesr.scan.reference import selective_scan_reference

SIZES = [(1, 1), (3, 4), (4, 3), (1, 7), (7, 1), (8, 8)]


def numpy_walk(path: ScanPath) -> list[int]:
    """Return the tokens of a path by turning an array of token numbers, not by arithmetic."""
    tokens = np.arange(path.length).reshape(path.height, path.width)
    walked = (tokens.T if path.direction.columns else tokens).ravel()
    return list(map(int, walked[::-1] if path.direction.reverse else walked))


@pytest.mark.parametrize("direction", TURNS)
@pytest.mark.parametrize("size", SIZES)
def test_a_path_visits_tokens_as_a_turned_picture_does(
    size: tuple[int, int], direction: Direction
) -> None:
    path = ScanPath(*size, direction)
    assert [path.token(step) for step in range(path.length)] == numpy_walk(path)


def draw(length: int, states: int) -> list[torch.Tensor]:
    x, dt = torch.randn(2, length, 5), torch.rand(2, length, 5)
    b, c = torch.randn(2, 2, length, states)
    inputs = [x, dt, -torch.rand(5, states) * 4, b, c, torch.randn(5)]
    return [tensor.double().requires_grad_() for tensor in inputs]


@pytest.mark.parametrize("direction", TURNS)
@pytest.mark.parametrize("size", SIZES)
def test_the_reference_along_a_path_is_the_plain_scan_of_tokens_in_that_order(
    size: tuple[int, int], direction: Direction
) -> None:
    path = ScanPath(*size, direction)
    x, dt, a, b, c, d = draw(path.length, 3)
    walked = numpy_walk(path)
    plain = selective_scan_reference(x[:, walked], dt[:, walked], a, b[:, walked], c[:, walked], d)
    along = selective_scan_reference(x, dt, a, b, c, d, path)
    torch.testing.assert_close(along[:, walked], plain, rtol=0, atol=0)


@pytest.mark.parametrize("direction", TURNS)
@pytest.mark.parametrize("size", SIZES)
def test_chunked_along_a_path_equals_the_reference_with_its_gradients(
    size: tuple[int, int], direction: Direction
) -> None:
    path = ScanPath(*size, direction)
    inputs = draw(path.length, 3)
    dy = torch.randn(2, path.length, 5).double()
    grads = []
    for form in (selective_scan_chunked, selective_scan_reference):
        y = form(*inputs, path=path)
        grads.append([y.detach(), *torch.autograd.grad(y, inputs, dy)])
    for got, want in zip(*grads, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("direction", TURNS)
@pytest.mark.parametrize("size", SIZES)
def test_a_mixer_along_a_path_is_the_forward_mixer_on_tokens_in_that_order(
    size: tuple[int, int], direction: Direction
) -> None:
    path = ScanPath(*size, direction)
    mixer = Mamba(6, 2, None, None, direction).double()
    forward = Mamba(6, 2, None).double()
    forward.load_state_dict(mixer.state_dict())
    tokens = torch.randn(2, path.length, 6).double()
    walked = numpy_walk(path)
    got = mixer(tokens, *size)[:, walked]
    torch.testing.assert_close(got, forward(tokens[:, walked], 1, path.length))
