"""What a clone of the repository holds, its history not counted."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_BYTES = 13_000_000


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """The files that are tracked, as they are in the working tree."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no checkout of git")
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = filter(None, done.stdout.split("\0"))
    return [path for name in names if (path := ROOT / name).is_file()]


def test_a_checkout_is_small(files: list[Path]) -> None:
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in files}
    largest = sorted(sizes, key=lambda name: -sizes[name])[:20]
    assert sum(sizes.values()) <= MOST_BYTES, [(name, sizes[name]) for name in largest]


def test_only_weights_that_ship_and_the_teacher_are_in_it(files: list[Path]) -> None:
    weights = [path for path in files if path.suffix in (".safetensors", ".pt", ".pth", ".ckpt")]
    elsewhere = [path for path in weights if path.parent != ROOT / "edgesr/weights"]
    (teacher,) = elsewhere
    assert teacher.parent == ROOT / "benchmarks/results/training/own_teacher_kept"
    assert len(weights) > len(elsewhere)


def test_raw_tables_of_results_are_compressed(files: list[Path]) -> None:
    """A run's own folder has them as they are: `compress` of benchmarks/shared/results.py."""
    tables = [path for path in files if path.is_relative_to(ROOT / "benchmarks/results")]
    assert any(path.name == "latencies.csv.xz" for path in tables)
    assert [
        path for path in tables if path.name in ("latencies.csv", "power.csv", "metrics.csv")
    ] == []
