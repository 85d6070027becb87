"""Clips, and a network whose result is known, for the tests of what moves."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgesr.cli import main


@pytest.fixture(autouse=True)
def judged() -> None:
    """Skip where FFmpeg's programs are not installed, which make clips and judge the results."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("apt install ffmpeg")
    import av  # noqa: F401  # the tests are of the extra that brings it


@pytest.fixture(scope="session")
def nearest(make_nearest: Callable[..., Path]) -> str:
    """A network that repeats every pixel twice, in tiles of 32."""
    return str(make_nearest(scale=2, tile=32))


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def upscale(
    tmp_path: Path,
    nearest: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., Said]:
    """Run `edgesr upscale` in the test's folder: (*arguments) -> what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, model: str = nearest) -> Said:
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main(["upscale", *map(str, arguments), "-m", model])
        return Said(int(exit_.value.code or 0), *capfd.readouterr())

    return run
