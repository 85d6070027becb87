"""Join what a terminal, `fold` or a mail program broke at its width: 80 columns, mostly. Pure.

Rows are folded where nearly all that begin a line are followed by one that does not and holds a
piece of a line. They were broken at a column where all that go on are as wide as the widest, or a
blank less, and else at blanks. A row may be coloured, and all of them may stand behind a margin:
blanks, or the `>` of a mail. What stands before a line, such as the stamp of the journal, does so
in its first row only.
"""

import operator
import re
from collections.abc import Sequence
from itertools import pairwise

from edgesr.power.wrapping import without_escapes

_HEAD = re.compile(r"(?<![A-Za-z])RAM +[0-9](?![0-9]*/[0-9]+k)")
"""What a line's first row holds, whatever stands before it; IRAM may be broken behind its I."""

_NAME_AND_VALUE = r"[A-Z][A-Z0-9_]+ +(?:[0-9]+[/%m]|[0-9]*%?@|off\b|[0-9]+$)"
_PART = re.compile(rf"[0-9]mW|@\[?-?[0-9]|[0-9]%[@,\]]|[0-9]MB|{_NAME_AND_VALUE}")
"""What a piece of a line holds, and hardly a line of another program."""

_ENDS_WHOLE = re.compile(r"[0-9](?:mW)?\s*$")
_ENDS_IN_LIST = re.compile(r"\[[^\]]*$")
_ENDS_IN_NAME = re.compile(r"[A-Z][A-Z0-9_]+\s*$")
_IS_NAME = re.compile(r"\s*[A-Z][A-Z0-9_]+\s*$")
_IS_VALUE = re.compile(r"[0-9][0-9mW/]*\s*$")
_INSIDE_WORD = ("%", "@", ",", "]", "/")
_MARGIN = re.compile(r"[ \t>|]+")

_WIDEST_FOLD = 250
"""Columns; a terminal that folds lines is not wider, and most lines are longer."""


def unfold(rows: list[str]) -> list[str]:
    """Return one row for each line that was printed; rows that are not folded are returned as such.

    Args:
        rows: of a whole file, without their ends.
    """
    plain = [without_escapes(row) for row in rows]
    is_head = ["RAM " in row and _HEAD.search(row) is not None for row in plain]
    heads = sum(is_head)
    few = heads // 10 + 1  # the last line may be a whole one
    if not heads or sum(map(operator.and_, is_head, _before(is_head))) > few:
        return rows
    bare = _without_margin(plain, is_head, few)
    if not _are_folded(bare, is_head, few):
        return rows
    # Escapes take columns where a program broke the rows, and none where a terminal did.
    for form in (rows, bare) if bare == plain else (bare,):
        width = max(map(len, form))
        if width <= _WIDEST_FOLD and _short(form, is_head, width) <= few:
            return _join(form, is_head, width)
    return _join_at_blanks(bare, is_head)


def _before(is_head: Sequence[bool]) -> list[bool]:
    """Return for each row whether a line begins behind it, or the file ends."""
    return [*is_head[1:], True]


def _without_margin(rows: list[str], is_head: Sequence[bool], few: int) -> list[str]:
    """Take off what stands before nearly every row from the first line on."""
    first = is_head.index(True)
    found = _MARGIN.match(rows[first])
    if found is None:
        return rows
    margin = found[0]
    outside = sum(bool(row.strip()) and not row.startswith(margin) for row in rows[first:])
    return rows if outside > few else [row.removeprefix(margin) for row in rows]


def _are_folded(rows: list[str], is_head: Sequence[bool], few: int) -> bool:
    """Return whether nearly all lines go on in the row behind their first."""
    if max(map(len, rows)) > _WIDEST_FOLD:
        return False
    whole = sum(
        head and (alone or (_ends(row) and not _PART.search(after)))
        for (row, after), head, alone in zip(
            pairwise([*rows, ""]), is_head, _before(is_head), strict=True
        )
    )
    return whole <= few


def _ends(row: str) -> bool:
    """Return whether a line may end with this row."""
    return _ENDS_WHOLE.search(row) is not None and _ENDS_IN_LIST.search(row) is None


def _short(rows: list[str], is_head: Sequence[bool], width: int) -> int:
    """Count the rows that go on and do not fill their width."""
    return sum(
        len(row) < width - 1 and _PART.search(after) is not None
        for (row, after), next_head in zip(pairwise([*rows, ""]), _before(is_head), strict=True)
        if not next_head
    )


def _join(rows: list[str], is_head: Sequence[bool], width: int) -> list[str]:
    """Join rows that were broken at a column, where a blank at the end of a row may be lost."""
    joined: list[str] = []
    is_line = False  # whether the row before belongs to one
    reach = 0  # its columns, if it filled its width
    for row, head in zip(rows, is_head, strict=True):
        goes_on = is_line and not head and (_goes_on(joined[-1], row) or (reach > 0 and row != ""))
        if goes_on:
            joined[-1] += f"{'' if reach == width else ' '}{row}"
        else:
            joined.append(row)
        is_line = head or goes_on
        reach = len(row) if is_line and len(row) >= width - 1 else 0
    return joined


def _join_at_blanks(rows: list[str], is_head: Sequence[bool]) -> list[str]:
    """Join rows that were broken at blanks, as `fold -s` and mail programs do."""
    joined: list[str] = []
    is_line = False
    for row, head in zip(rows, is_head, strict=True):
        goes_on = is_line and not head and _goes_on(joined[-1], row)
        if goes_on:
            part = row.lstrip()
            joined[-1] += part if part.startswith(_INSIDE_WORD) else f" {part}"
        else:
            joined.append(row)
        is_line = head or goes_on
    return joined


def _goes_on(line: str, row: str) -> bool:
    """Return whether a row is the next piece of a line that has come so far."""
    if _PART.search(row) is not None:
        return True
    if _IS_NAME.match(row) is not None:
        return not _ends(line)
    return _IS_VALUE.match(row) is not None and _ENDS_IN_NAME.search(line) is not None
