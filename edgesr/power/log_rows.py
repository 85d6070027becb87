"""The rows of a log file as the lines that were printed: encodings, folded and glued lines."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from edgesr.decode import MalformedError, read_bounded
from edgesr.errors import PowerError

LIMIT_BYTES = 128 << 20
"""Largest log that is read; tegrastats writes as much in five days, a line a second."""

_STAMP = r"[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} "
# Where a run was killed in the middle of a line and another appended, two lines share one.
_SECOND_LINE = re.compile(rf"(?<=\S)(?={_STAMP}RAM )")
_HEAD = re.compile(rf"(?:{_STAMP})?RAM [0-9]")

_WIDEST_FOLD = 250
"""Columns; a terminal that folds lines is not wider, and most lines are longer."""


def read_text(path: Path) -> str:
    """Return the text of a log.

    Raises:
        PowerError: the file cannot be read.
    """
    try:
        data = read_bounded(path, LIMIT_BYTES)
    except (OSError, MalformedError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise PowerError(f"cannot read the log ({reason})", where=path) from error
    # PowerShell's `>` writes UTF-16, and some tools leave its mark away.
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    elif data[:64].count(0) > len(data[:64]) // 4:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    return data.decode(encoding, errors="replace")


def log_rows(text: str) -> Iterator[tuple[str, bool]]:
    """Return each printed line, and whether it is whole: False for one that is broken off.

    Args:
        text: the file's.
    """
    *rows, rest = text.split("\n")
    unfolded = _unfold([row.removesuffix("\r") for row in (*rows, rest)])
    for number, row in enumerate(unfolded):
        parts = _SECOND_LINE.split(row) if row.count("RAM ") > 1 else [row]
        if "RAM " not in parts[0]:  # what stands before a line, and is none
            parts[:2] = ["".join(parts[:2])]
        for part in parts[:-1]:
            yield part, False
        yield parts[-1], number < len(unfolded) - 1


def _unfold(rows: list[str]) -> list[str]:
    """Join what a terminal or `fold` broke at its width: 80 columns, mostly.

    Rows are folded where nearly all that begin a line are as wide as the widest row, or a blank
    less, and hardly one of them is followed by another.
    """
    is_head = [_HEAD.match(row) is not None for row in rows]
    heads = [len(row) for row, head in zip(rows, is_head, strict=True) if head]
    width = max(map(len, rows))
    if not heads or width > _WIDEST_FOLD:
        return rows
    narrow = sum(length < width - 1 for length in heads)
    alone = sum(here and after for here, after in pairwise(is_head))
    if narrow + alone > len(heads) // 10:
        return rows
    joined: list[str] = []
    reach = 0  # columns of the row before, if it belongs to a line and filled its width
    for row, head in zip(rows, is_head, strict=True):
        if head or not reach or not row:
            joined.append(row)
        else:
            joined[-1] += f"{'' if reach == width else ' '}{row}"
        is_open = (head or reach > 0) and len(row) >= width - 1
        reach = len(row) if is_open else 0
    return joined
