"""The network of the tests of a live picture."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def nearest(make_nearest: Callable[..., Path]) -> str:
    """A network that repeats every pixel four times, in tiles of 64."""
    return str(make_nearest(tile=64))
