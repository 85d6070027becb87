"""Multiply-adds against counts written out by hand."""

import pytest

from edgesr.models import get_network
from edgesr.models.cost import multiply_adds

# Per input pixel, for each of three channels: rows (5 taps, 4 phases, made for 2 columns more to
# each side) and columns (5 taps, 16 phases).
BICUBIC_X4 = 3 * (5 * 4 * 68 / 64 + 5 * 16)
COLOUR_X4 = 3 + 9 + BICUBIC_X4  # RGB to Y, RGB to chroma


@pytest.mark.parametrize(
    ("name", "per_pixel"),
    [
        ("bicubic", BICUBIC_X4),
        ("esr-fast", 288 + COLOUR_X4),
        ("espcn", 64 * 25 + 32 * 64 * 9 + 16 * 32 * 9 + COLOUR_X4),
        ("fsrcnn", 32 * 25 + 2 * 6 * 32 + 36 * 9 + 32 * 81 + COLOUR_X4),
    ],
)
def test_convolutions(name: str, per_pixel: float) -> None:
    assert multiply_adds(get_network(name), 4, 64, 64) == per_pixel * 64 * 64


@pytest.mark.parametrize("rank", [None, 7])
def test_mamba_and_its_scan(rank: int | None) -> None:
    d, n, pixels = 32, 16, 64 * 64
    e, r = 2 * d, 2
    name = "mambalitesr:D32-G1-B3-N16" + ("" if rank is None else f"-R{rank}")
    outer = 9 * (3 * d + d * d + d * d + d * 48) * pixels
    ends = d * 2 * e + e * d if rank is None else rank * (d + 2 * e) + rank * (e + d)
    mixer = (ends + e * (r + 2 * n) + r * e) * pixels
    causal = 4 * e * pixels
    scan = 4 * pixels * e * n
    assert multiply_adds(get_network(name), 4, 64, 64) == outer + 3 * (mixer + causal + scan)
