"""A board for sweeps."""

from pathlib import Path

import pytest
from sweep_board import Board


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)
