"""Every Python example in the README and the docs runs, each in an interpreter of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def examples() -> Iterator[object]:
    for page in PAGES:
        found = re.findall(r"```python\n(.*?)```", page.read_text(), re.S)
        for number, example in enumerate(found, start=1):
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
    text = (ROOT / "docs/library.md").read_text()
    assert len(re.findall(r"```python\n", text)) >= 6


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
