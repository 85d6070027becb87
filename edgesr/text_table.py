"""Rows of text as lines with columns in line, for all tables that commands print."""

from collections.abc import Iterable, Sequence


def align(rows: Sequence[Sequence[str]], left: Iterable[int]) -> list[str]:
    """Return rows as lines whose columns stand in line on a terminal.

    A width is what rich says that a terminal needs, where a Chinese letter takes two places.

    Args:
        rows: cells without line ends, the same number in each row; the first may be a header.
        left: columns, counted from 0, that are flush left; the others are flush right.

    Returns:
        A line for each row, columns two spaces apart, without spaces at its end.

    Raises:
        ValueError: the rows have different numbers of cells.
    """
    from rich.cells import cell_len  # which costs start-up time

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    flush_left = set(left)
    lines = []
    for row in rows:
        cells = []
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - cell_len(cell))
            cells.append(cell + space if column in flush_left else space + cell)
        lines.append("  ".join(cells).rstrip())
    return lines
