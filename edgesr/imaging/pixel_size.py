"""Sizes in pixels as they are written on a command line, `1920x1080`."""

import re

from edgesr.errors import Argument, ConfigError

_SIZE = re.compile(r"([0-9]{1,7})x([0-9]{1,7})")


def is_size(text: str) -> bool:
    """Tell whether a text has the form of a size, whatever its numbers."""
    return _SIZE.fullmatch(text) is not None


def parse_size(text: str, field: str, smallest: int, largest: int, like: str) -> tuple[int, int]:
    """Return (width, height) in pixels.

    Args:
        text: as it was given.
        field: name of the argument that it was given for.
        smallest: side.
        largest: side.
        like: a size that can be, for the message.

    Raises:
        ConfigError: the text is no size, or a side is not from `smallest` to `largest`.
    """
    found = _SIZE.fullmatch(text)
    sides = () if found is None else (int(found[1]), int(found[2]))
    if len(sides) != 2 or not all(smallest <= side <= largest for side in sides):
        raise ConfigError(
            f"a size is width x height, each from {smallest} to {largest} pixels, not '{text}'",
            where=Argument(field),
            fix=Argument(field, like),
        )
    return sides
