"""Commands killed, and out of disk, at some of their changes; benchmarks/hostile does it at all.

`write_set`, on which export, build-engine and bench rest, is killed at every change by
tests/test_file_set.py.
"""

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
sys.path.append(str(Path(__file__).parents[2] / "benchmarks/hostile"))

import full_disks
import kills


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory):
    """Return a function that makes the old and the new state of a scenario, once."""
    made: dict[str, tuple[Path, Path, list[str]]] = {}

    def make(name: str) -> tuple[Path, Path, list[str]]:
        if name not in made:
            root = tmp_path_factory.mktemp(name)
            (root / "old").mkdir()
            scenario = kills.SCENARIOS[name]
            kills.prepare(root / "old", scenario)
            changes = kills.undisturbed(root / "old", root / "new", scenario)
            made[name] = root / "old", root / "new", changes
        return made[name]

    return make


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("upscale", "second half of .big"),
        ("upscale", "os.rename big.png"),
    ],
)
def test_killed_there_it_is_the_old_state_or_the_new(name: str, at: str, states) -> None:
    old, new, changes = states(name)
    number = next(n for n, change in enumerate(changes, start=1) if change.startswith(at))
    assert kills.judge(old, new, kills.SCENARIOS[name], number) == ""


@pytest.mark.parametrize(("name", "full_from"), [("upscale", 1), ("upscale", 3)])
def test_on_a_full_disk_nothing_is_lost(name: str, full_from: int, states) -> None:
    old, new, _ = states(name)
    assert full_disks.judge(old, new, kills.SCENARIOS[name], full_from) == ""
