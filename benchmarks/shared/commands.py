"""What the command line of every script does: its docstring is its help, an error is one line."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from edgesr.errors import EdgesrError


def parser_of(docstring: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help begins with a script's docstring, line by line as it stands."""
    return argparse.ArgumentParser(
        description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter
    )


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the script with exit code 1 and one line where the block fails by an error of ours.

    So it does where a file cannot be read or written.
    """
    try:
        yield
    except EdgesrError as error:
        sys.exit(f"error: {error.as_options()}")
    except OSError as error:
        sys.exit(f"error: {error.filename}: {error.strerror}")
