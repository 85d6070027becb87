"""Every Python example in the README and the docs runs, each in an interpreter of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import ROOT, scripts

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def examples() -> Iterator[object]:
    for page in PAGES:
        for number, example in enumerate(scripts(page, "python"), start=1):
            if "edgesr" in example and "import edgesr" in example:
                yield pytest.param(example, id=f"{page.name} {number}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the examples name."""
    shutil.copy(ROOT / "tests/data/photo.png", tmp_path)
    log = ROOT / "tests/power/data/logs/orin_nano_25w_load.txt"
    shutil.copy(log, tmp_path / "power.log")
    shutil.copytree(ROOT / "tests/bench/data/run", tmp_path / "runs/bench")
    return tmp_path


def test_the_library_has_examples() -> None:
    assert len(scripts(ROOT / "docs/library.md", "python")) >= 6


def test_the_readme_has_an_example() -> None:
    assert "edgesr.upscale(" in "".join(scripts(ROOT / "README.md", "python"))


@pytest.mark.parametrize("example", list(examples()))
def test_examples_run(example: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{example}\n{done.stdout}\n{done.stderr}"
