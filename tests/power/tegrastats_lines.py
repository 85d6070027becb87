"""Real lines of tegrastats, and what a person read in them."""

from pathlib import Path

DATA = Path(__file__).parent / "data"
LINES = [row.split("\t")[3] for row in (DATA / "lines.tsv").read_text().splitlines()]


def read_table() -> dict[int, dict[str, str]]:
    """Return the rows of expected.txt by line number."""
    table = {}
    for block in (DATA / "expected.txt").read_text().split("\n\n")[1:]:
        first, *rows = block.strip().splitlines()
        fields = (row.partition(" ") for row in rows)
        table[int(first.removeprefix("line "))] = {name: text for name, _, text in fields}
    return table


TABLE = read_table()
