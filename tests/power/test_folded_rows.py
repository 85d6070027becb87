"""Logs whose lines were broken at a width, of every board, within what they went through."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tegrastats_lines import LINES

from edgesr.errors import PowerError
from edgesr.power.tegrastats import parse_line
from edgesr.power.tegrastats_log import parse_tegrastats_log, read_tegrastats_log

SECONDS = 6
# A line whose head is cut off cannot be told from a piece of one.
BOARDS = [
    line for line in LINES if (read := parse_line(line)) is not None and read.rails and read.ram
]

(HEADLESS,) = (line for line in LINES if line.startswith("["))


def logged(line: str) -> list[str]:
    """Return a log: the line, a second later each time, with another power on every rail."""
    rows = []
    for second in range(SECONDS):
        row = line
        for name, reading in (parse_line(line) or pytest.fail(line)).rails.items():
            first = f"{name.partition('#')[0]} {reading.current_mw}"
            row = row.replace(first, f"{first}{second}", 1) if second else row
        stamp = f"05-13-2026 12:53:{second:02d}"
        rows.append(stamp + row[19:] if row[:2].isdigit() else row)
    return rows


def at_column(width: int) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line[n : n + width] for line in lines for n in range(0, len(line), width)]


def at_blanks(lines: list[str]) -> list[str]:
    command = ["fold", "-s", "-w", "80"]
    text = "\n".join(lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def of_the_journal(lines: list[str]) -> list[str]:
    return at_column(80)([f"Jul 21 16:33:42 orin tegrastats[812]: {line}" for line in lines])


def of_docker(lines: list[str]) -> list[str]:
    stamp = {"stream": "stdout", "time": "2025-07-21T16:33:42.123456789Z"}
    return at_column(80)([json.dumps({"log": f"{line}\n"} | stamp) for line in lines])


def behind(margin: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [margin + row for row in at_column(80 - len(margin))(lines)]


FORMS: dict[str, Callable[[list[str]], list[str]]] = {
    "80": at_column(80),
    "120": at_column(120),
    "200": at_column(200),
    "blanks": at_blanks,
    "journal": of_the_journal,
    "docker": of_docker,
    "code in a page": behind("    "),
    "mail": behind("> "),
    "coloured lines": lambda lines: at_column(80)([f"\x1b[32m{line}\x1b[0m" for line in lines]),
    "coloured rows": lambda lines: [f"\x1b[32m{row}\x1b[0m" for row in at_column(80)(lines)],
    "first rows coloured": lambda lines: [
        f"\x1b[1m{row}\x1b[0m" if "RAM " in row else row for row in at_column(80)(lines)
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_rail_of_every_board(form: str) -> None:
    assert len(BOARDS) > 40
    for line in BOARDS:
        lines = logged(line)
        plain = parse_tegrastats_log("\n".join(lines) + "\n")
        folded = parse_tegrastats_log("\n".join(FORMS[form](lines)) + "\n")
        assert [row.rails_mw for row in folded.samples] == [row.rails_mw for row in plain.samples]
        assert len(plain.samples) == SECONDS
        assert (folded.unknown_lines, folded.cut_lines, folded.in_pieces) == (0, 0, False)


def numbered(lines: list[str]) -> list[str]:
    return [f"{number}: {row}\n" for number, row in enumerate(at_column(80)(lines))]


@pytest.mark.parametrize(
    ("line", "form"),
    [(BOARDS[-1], numbered), (HEADLESS, at_column(200)), (HEADLESS, of_the_journal)],
)
def test_pieces_that_nothing_joins_are_refused(
    line: str, form: Callable[[list[str]], list[str]], tmp_path: Path
) -> None:
    """A piece is no line and takes no second; each rail would be in some of the lines only."""
    path = tmp_path / "power.log"
    path.write_text("\n".join(form(logged(line))))
    with pytest.raises(PowerError, match="its lines are broken into pieces"):
        read_tegrastats_log(path)
