"""A board for sweeps, and sweeps on it that are refused."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sweep_board import SWEEP, Board

from edgesr.cli import main
from edgesr.sweep import sweep


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.fixture
def refused(
    board: Board, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return a function that starts a sweep which must change nothing; it returns the error.

    It runs in this process, prepared as driver.py prepares its own.
    """

    def run(*arguments: str, is_root: bool = True) -> str:
        places = sweep.Places(board.folder / "nvpmodel.conf", board.state / "kept")
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as ended:
            for name, value in board.environment.items():
                patch.setenv(name, value)
            patch.setattr(sweep, "sweep", functools.partial(sweep.sweep, places=places))
            patch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)
            patch.chdir(board.folder)
            main([*SWEEP, *arguments])
        assert ended.value.code == 1
        errors = capfd.readouterr().err
        assert "Traceback" not in errors
        assert board.calls == []
        return errors

    return run
