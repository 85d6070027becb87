"""`-` among the files of `edgesr upscale`: a picture from standard input, one to standard output.

Both go through files: the size of a picture is known only when all of it is there, and a result is
handed on when it is whole.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgesr.errors import ConfigError, EdgesrError
from edgesr.files import temporary_folder
from edgesr.imaging.limits import check_file_size

PIPE = "-"
_BLOCK = 1 << 20


@contextmanager
def piped(
    inputs: list[Path], output: str | None, ending: str
) -> Iterator[tuple[list[Path], str | None, Path | None]]:
    """Yield inputs and output with files in place of `-`, and the folder of those files.

    At the end the result is handed on.

    A picture from standard input goes to standard output, unless -o says where.

    Args:
        inputs: as given.
        output: as given.
        ending: of a result that goes to standard output, such as `.png`.

    Raises:
        ConfigError: several pictures for one pipe, or a terminal or nothing at its end.
        ImageError: more comes than a picture within the limit has.
    """
    reads = Path(PIPE) in inputs
    writes = output == PIPE or (reads and output is None)
    if not (reads or writes):
        yield inputs, output, None
        return
    if len(inputs) > 1 or (writes and inputs[0].is_dir()):
        raise ConfigError("standard input and output take one picture", where=PIPE)
    for stream, name, is_used in (
        (sys.stdin, "standard input", reads),
        (sys.stdout, "standard output", writes),
    ):
        if is_used and stream is None:
            raise ConfigError("is closed", where=name, fix="a file's name")
    if writes and sys.stdout.isatty():
        raise ConfigError("a terminal shows no pictures", where=PIPE, fix="-o RESULT.png")
    with temporary_folder() as folder:
        if reads:
            inputs = [folder / "standard-input"]
            _store(inputs[0])
        result = folder / f"standard-output{ending}"
        try:
            yield inputs, str(result) if writes else output, folder
        except EdgesrError as error:
            if writes and error.where == str(result):  # a file that nobody named
                raise error.at(f"-o {PIPE}") from None
            raise
        if writes and result.exists():
            _hand_on(result)


def _store(path: Path) -> None:
    """Write what comes from standard input into a file."""
    size = 0
    try:
        with path.open("wb") as file:
            while block := sys.stdin.buffer.read(_BLOCK):
                size += len(block)
                check_file_size(size)
                file.write(block)
    except OSError as error:
        raise EdgesrError(f"cannot be kept ({error.strerror})", where="standard input") from error


def _hand_on(path: Path) -> None:
    """Write a file to standard output.

    Raises:
        EdgesrError: whoever reads it has gone, or there is no room.
    """
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, _BLOCK)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise EdgesrError(
            f"cannot be written ({error.strerror})", where="standard output"
        ) from error
