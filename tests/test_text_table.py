"""Tables as people read them on a terminal."""

import pytest

from edgesr.text_table import align


def test_numbers_are_flush_right_and_no_line_ends_in_spaces() -> None:
    rows = [("Model", "ms", "run"), ("a", "10.00", ""), ("long", "5", "torch")]
    assert align(rows, left={0, 2}) == ["Model     ms  run", "a      10.00", "long       5  torch"]


def test_letters_that_take_two_places_are_counted_as_two() -> None:
    assert align([("写真", "1"), ("photo", "2")], left={0}) == ["写真   1", "photo  2"]


def test_a_row_that_is_short_is_no_table() -> None:
    with pytest.raises(ValueError, match="zip"):
        align([("a", "b"), ("c",)], left=())
