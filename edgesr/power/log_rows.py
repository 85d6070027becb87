"""The rows of a log file as the lines that were printed: encodings, folded and glued lines."""

import operator
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from edgesr.decode import MalformedError, read_bounded
from edgesr.errors import PowerError, shell

LIMIT_BYTES = 128 << 20
"""Largest log that is read; tegrastats writes as much in five days, a line a second."""

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""How the files begin that these programs write, and so the old logs of logrotate."""

_STAMP = r"[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} "
# Where a run was killed in the middle of a line and another appended, two lines share one; and all
# of them do where a shell printed a log without its ends of lines, as `echo $log` does.
_SECOND_LINE = re.compile(rf"(?<=\S)\s*(?={_STAMP}RAM )")
_HEAD = re.compile(rf"(?:{_STAMP})?RAM [0-9]")

_PART = re.compile(r"[0-9]mW|@\[?-?[0-9]|[0-9]%[@,\]]|[0-9]MB|[A-Z][A-Z0-9_]+ [0-9]+[/%]")
"""What a piece of a line holds, and hardly a line of another program."""

_ENDS_WHOLE = re.compile(r"[0-9](?:mW)?\s*$")

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
    for magic, program in _PACKED.items():
        if data.startswith(magic):
            text = shell(path.with_name(f"{path.name}.txt"))
            raise PowerError(
                f"the log is packed by {program}",
                where=path,
                fix=f"{program} -dc <{shell(path)} >{text} && edgesr power {text}",
            )
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
    *rows, rest = text.split("\n" if "\n" in text else "\r")
    unfolded = _unfold([row.removesuffix("\r") for row in (*rows, rest)])
    for number, row in enumerate(unfolded):
        parts = _SECOND_LINE.split(row) if row.count("RAM ") > 1 else [row]
        if "RAM " not in parts[0]:  # what stands before a line, and is none
            parts[:2] = ["".join(parts[:2])]
        for part in parts[:-1]:
            yield part, False
        yield parts[-1], number < len(unfolded) - 1


def _unfold(rows: list[str]) -> list[str]:
    """Join what a terminal, `fold` or a mail program broke at its width: 80 columns, mostly.

    Rows are folded where nearly all that begin a line are followed by one that does not and holds
    a piece of a line. They were broken at a column where all that go on are as wide as the widest,
    or a blank less, and else at blanks.
    """
    width = max(map(len, rows))
    is_head = [_HEAD.match(row) is not None for row in rows]
    heads = sum(is_head)
    if not heads or width > _WIDEST_FOLD:
        return rows
    few = heads // 10 + 1  # the last line may be a whole one
    before_head = [*is_head[1:], True]
    if sum(map(operator.and_, is_head, before_head)) > few:
        return rows
    pairs = list(pairwise([*rows, ""]))
    whole = sum(
        head and (alone or (bool(_ENDS_WHOLE.search(row)) and not _PART.search(after)))
        for (row, after), head, alone in zip(pairs, is_head, before_head, strict=True)
    )
    if whole > few:
        return rows
    broken = [
        row
        for (row, after), next_head in zip(pairs, before_head, strict=True)
        if not next_head and _PART.search(after)
    ]
    if sum(len(row) < width - 1 for row in broken) <= few:
        return _join(rows, is_head, width)
    return _join_at_blanks(rows, is_head)


def _join(rows: list[str], is_head: list[bool], width: int) -> list[str]:
    """Join rows that were broken at a column, where a blank at the end of a row may be lost."""
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


def _join_at_blanks(rows: list[str], is_head: list[bool]) -> list[str]:
    """Join rows that were broken at blanks, as `fold -s` and mail programs do."""
    joined: list[str] = []
    is_line = False  # whether the row before belongs to one
    for row, head in zip(rows, is_head, strict=True):
        goes_on = is_line and not head and _PART.search(row) is not None
        if goes_on:
            joined[-1] += f" {row.lstrip()}"
        else:
            joined.append(row)
        is_line = head or goes_on
    return joined
