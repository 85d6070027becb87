"""Commands killed, and out of disk, at some of their changes; benchmarks/hostile does it at all.

`write_set`, on which export, build-engine and bench rest, is killed at every change by
tests/artifacts/test_file_set.py.
"""

from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from benchmarks.hostile import full_disks, kills
from benchmarks.hostile.children import Children, can_mount
from benchmarks.hostile.places import States, make_states, sample
from benchmarks.hostile.scenarios import SCENARIOS

Make = Callable[[str, str], States]


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children() as started:
        yield started


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory, children: Children) -> Make:
    """Return a function that makes the old and the new state of a scenario, once."""
    made: dict[tuple[str, str], States] = {}

    def make(name: str, fault: str) -> States:
        if (name, fault) not in made:
            root = tmp_path_factory.mktemp(name)
            made[name, fault] = make_states(root, SCENARIOS[name], children, fault)
        return made[name, fault]

    return make


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("upscale", "second half of .big"),
        ("bench", "os.rename latencies.csv"),  # run.json is of the new run, the table waits
    ],
)
def test_killed_there_it_is_the_old_state_or_the_new(
    name: str, at: str, states: Make, children: Children
) -> None:
    made = states(name, "none")
    changes = [f"{change} " for change in made.changes]
    number = next(n for n, change in enumerate(changes, start=1) if change.startswith(at))
    assert kills.judge(made, children, number) == ""


def test_a_full_disk_is_one_line_and_nothing_is_lost(states: Make, children: Children) -> None:
    if not can_mount():
        pytest.skip("no file system can be mounted here")
    made = states("upscale", "full")
    writes = full_disks.every_write(made)
    assert len(writes) >= 5
    for number in sample(writes, 2):
        assert full_disks.judge(made, children, number) == ""


def test_what_is_left_is_seen(states: Make, children: Children) -> None:
    """The judge judges: a file in the way of the second run, which leaves it there."""
    made = states("upscale", "none")
    (made.old / "out/left").touch()
    try:
        assert kills.judge(made, children, 1) == "left over or lost: ['out/left']"
    finally:
        (made.old / "out/left").unlink()
