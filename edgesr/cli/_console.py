"""What commands show while they work: a progress bar on a terminal, nothing in a pipe."""

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

_SPACE = 0x20  # JSON texts hold nothing below it


def printable(text: str) -> str:
    """Return text from a file or a file name so that it cannot steer the terminal.

    Control characters, those that turn the direction of writing, and bytes of names that are not
    UTF-8 are shown as escapes; only line ends and tabs stay. Those that JSON lets a text hold are
    written as JSON writes them, so that a document stays one.
    """
    return _CONTROL.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < _SPACE else f"\\u{code:04x}"


class SafeFormatter(logging.Formatter):
    """Formats what modules log, which may quote a file, as `printable` shows it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line to print."""
        return printable(super().format(record))


def say(message: object = "", err: bool = False) -> None:
    """Print a line, as every command does: to standard output, or to standard error."""
    typer.echo(printable(str(message)), err=err)


def drop_output() -> None:
    """Leave Python nothing that it could not write at its end: it would say so, in its own words.

    Standard output keeps what a full disk did not take, and tries again.
    """
    if sys.stdout is None:  # it was closed from the start
        return
    try:
        sys.stdout.flush()
    except OSError:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[..., None]]:
    """Show a bar on standard error while the block runs, if that is a terminal.

    Yields:
        advance(steps=1, note="", total=None, label=None): moves the bar, shows `note` behind it,
        and takes total and label where they were not known before.
    """
    if not sys.stderr.isatty():
        yield lambda steps=1, note="", total=None, label=None: None
        return
    from rich.console import Console  # noqa: I001  (rich costs start-up time, so only here)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(printable(label), total=total, note="")

        def advance(
            steps: int = 1, note: str = "", total: int | None = None, label: str | None = None
        ) -> None:
            if total is not None:
                bar.update(task, total=total)
            if label is not None:
                bar.update(task, description=printable(label))
            bar.update(task, advance=steps, note=printable(note))

        yield advance
