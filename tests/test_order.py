"""Files that take long begin first."""

from dataclasses import dataclass
from pathlib import Path

from heavy_first import HEAVY, pytest_collection_modifyitems

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Item:
    nodeid: str


def test_every_long_file_is_there() -> None:
    assert [name for name in HEAVY if not (ROOT / name).is_file()] == []
    assert len(set(HEAVY)) == len(HEAVY)


def test_long_files_come_first_and_tests_of_a_file_keep_their_order() -> None:
    short = [Item("tests/a.py::test_2"), Item("tests/a.py::test_1")]
    long = [Item(f"{HEAVY[1]}::test_b"), Item(f"{HEAVY[1]}::test_a"), Item(f"{HEAVY[0]}::test")]
    items = [short[0], *long, short[1]]
    pytest_collection_modifyitems(items)
    assert items == [long[2], long[0], long[1], *short]
