"""Fixtures of the tests of commands."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def nearest(make_nearest: Callable[..., Path]) -> str:
    """A network that repeats every pixel four times, in tiles of 16."""
    return str(make_nearest())


@pytest.fixture
def here(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a photograph in it."""
    shutil.copy(data / "photo.png", tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def network(make_nearest: Callable[..., Path]) -> Path:
    """Repeats pixels: 16x16 to 64x64."""
    return make_nearest(tile=16)
