"""What shows through a picture's transparent parts, for formats without an alpha channel."""

import re
from dataclasses import replace

import numpy as np

from edgesr.errors import Argument, ConfigError, ImageError
from edgesr.imaging.encode import FileFormat
from edgesr.imaging.picture import Picture

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

_NAMES = {"white": "ffffff", "black": "000000", "grey": "808080", "gray": "808080"}
_HEXADECIMAL = re.compile(r"#?([0-9a-fA-F]{6})")


def parse_colour(text: str) -> Colour:
    """Return red, green and blue, 0 to 255, of `white`, `black`, `grey` or `#rrggbb`.

    Raises:
        ConfigError: it is none of them.
    """
    match = _HEXADECIMAL.fullmatch(_NAMES.get(text.lower(), text))
    if match is None:
        raise ConfigError(
            f"'{text}' is no colour: white, black, grey or #rrggbb", where=Argument("background")
        )
    red, green, blue = bytes.fromhex(match[1])
    return red, green, blue


def fit_alpha(picture: Picture, target: FileFormat, colour: Colour | None) -> Picture:
    """Return a picture that a format has room for, as far as transparency goes.

    Args:
        picture: to be enlarged.
        target: of the result.
        colour: of the background, None where none was named.

    Raises:
        ImageError: the picture has transparent parts, the format no alpha, and there is no colour.
    """
    if target.alpha or picture.is_opaque:
        return picture
    if colour is None:
        raise ImageError(f"{target.name} has no alpha channel", fix=Argument("background", "white"))
    return put_on(picture, colour)


def put_on(picture: Picture, colour: Colour) -> Picture:
    """Return a picture without alpha, on a background.

    Values are mixed as they are stored, as browsers do it.

    Args:
        picture: to be laid on it.
        colour: of the background, red, green and blue, 0 to 255.
    """
    if picture.alpha is None:
        return picture
    opacity = (picture.alpha.astype(np.float32) / np.float32(picture.white))[:, :, None]
    behind = np.array(colour, np.float32) * np.float32(picture.white / 255)
    mixed = opacity * picture.colour + (1 - opacity) * behind
    steps = mixed if picture.is_float else np.rint(mixed)
    return replace(
        picture,
        colour=steps.astype(picture.colour.dtype, copy=False),
        alpha=None,
        grey=picture.grey and len(set(colour)) == 1,
    )
