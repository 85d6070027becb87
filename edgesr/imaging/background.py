"""What shows through a picture's transparent parts, for formats without an alpha channel."""

import re
from dataclasses import replace

import numpy as np

from edgesr.errors import ConfigError, ImageError
from edgesr.imaging.encode import FileFormat
from edgesr.imaging.picture import Picture

_NAMES = {"white": "ffffff", "black": "000000", "grey": "808080", "gray": "808080"}
_HEXADECIMAL = re.compile(r"#?([0-9a-fA-F]{6})")


def parse_colour(text: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of `white`, `black`, `grey` or `#rrggbb`.

    Raises:
        ConfigError: it is none of them.
    """
    match = _HEXADECIMAL.fullmatch(_NAMES.get(text.lower(), text))
    if match is None:
        raise ConfigError(
            f"'{text}' is no colour: white, black, grey or #rrggbb", where="--background"
        )
    red, green, blue = bytes.fromhex(match[1])
    return red, green, blue


def fit_alpha(picture: Picture, target: FileFormat, colour: tuple[int, int, int] | None) -> Picture:
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
        raise ImageError(
            f"{target.name} has no alpha channel", fix="--background white, or --format png"
        )
    return put_on(picture, colour)


def put_on(picture: Picture, colour: tuple[int, int, int]) -> Picture:
    """Return a picture without alpha, on a background.

    Values are mixed as they are stored, as browsers do it.

    Args:
        picture: to be laid on it.
        colour: of the background, red, green and blue, 0 to 255.
    """
    if picture.alpha is None:
        return picture
    opacity = (picture.alpha.astype(np.float32) / np.float32(picture.white))[:, :, None]
    behind = np.array(colour, np.float32) * np.float32(picture.white // 255)
    mixed = opacity * picture.colour + (1 - opacity) * behind
    return replace(
        picture,
        colour=np.rint(mixed).astype(picture.colour.dtype),
        alpha=None,
        grey=picture.grey and len(set(colour)) == 1,
    )
