"""How large a picture may be, decided from its header before anything is decoded."""

import math
import os

from edgesr.errors import ConfigError, ImageError, LimitError

MAX_MEGAPIXELS = 128.0
"""Largest picture that is read, in millions of pixels, unless a person raises it."""

VARIABLE = "EDGESR_MAX_MEGAPIXELS"
"""Environment variable with another limit; `edgesr --max-megapixels` sets it for its children."""

_LARGEST_LIMIT = 1e9  # in megapixels, far beyond any file, and bytes are still counted exactly

MAX_SIDE = 1 << 20
"""Longest side that OpenCV decodes, in pixels."""

MAX_SCANS = 100
"""Scans of a JPEG file. Encoders write about ten; every one costs a pass over all pixels."""

_BAND_MEGAPIXELS, _BAND_SHARE = 51.2, 0.4
"""Of a result that is in memory at a time: 614 MB in float32, and its share of a raised limit."""

_PIXEL_BYTES, _OTHER_BYTES = 8, 64 << 20


def max_megapixels() -> float:
    """Return the limit in force, in millions of pixels.

    Raises:
        ConfigError: the environment variable holds no such limit.
    """
    text = os.environ.get(VARIABLE)
    return MAX_MEGAPIXELS if text is None else parse_limit(text, VARIABLE)


def parse_limit(text: str, where: str) -> float:
    """Read a limit, in millions of pixels.

    Raises:
        ConfigError: it is no positive number, or none that makes sense.
    """
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 < limit <= _LARGEST_LIMIT:
        raise ConfigError(
            f"must be a number above 0 and at most {_LARGEST_LIMIT:g}, not {text!r}", where=where
        )
    return limit


def check_file_size(size: int) -> None:
    """Refuse a file that is longer than any picture within the limit on pixels.

    Args:
        size: of the file in bytes; one with a hole may say more than its disk holds.

    Raises:
        ImageError: it is longer than the limit's pixels of 16 bit RGBA and metadata.
    """
    most = int(_PIXEL_BYTES * max_megapixels() * 1e6) + _OTHER_BYTES
    if size > most:
        needed = math.ceil((size - _OTHER_BYTES) / _PIXEL_BYTES / 1e6)
        raise ImageError(
            f"the file takes {size / 1e6:.0f} MB, more than a picture within the limit of "
            f"{max_megapixels():g} megapixels can",
            fix=f"edgesr --max-megapixels {needed} COMMAND ...",
        )


def check_size(kind: str, width: int, height: int) -> None:
    """Refuse a picture without pixels, and one of more than the limit.

    Args:
        kind: of the file, for the message.
        width: that the header states, in pixels.
        height: that the header states, in pixels.

    Raises:
        LimitError: too many pixels.
        ImageError: none.
    """
    if width < 1 or height < 1:
        raise ImageError(f"the {kind} file is damaged or cut short")
    if max(width, height) > MAX_SIDE:
        raise LimitError(
            f"the {kind} picture is larger than OpenCV decodes (2^20 pixels a side): "
            f"{width}x{height}"
        )
    megapixels, limit = width * height / 1e6, max_megapixels()
    if megapixels > limit:
        raise LimitError(
            f"the {kind} picture has {width}x{height} = {megapixels:.1f} megapixels, more than "
            f"the limit of {limit:g}",
            fix=f"edgesr --max-megapixels {math.ceil(megapixels)} COMMAND ...",
        )


def check_band(height: int, width: int) -> None:
    """Refuse a picture whose result has rows of tiles that are too large to be held in memory.

    A picture of few pixels may be a million wide.

    Args:
        height: of a row of tiles of the result, in pixels.
        width: of the result, in pixels.

    Raises:
        LimitError: it has too many pixels.
    """
    megapixels = height * width / 1e6
    limit = max(_BAND_MEGAPIXELS, _BAND_SHARE * max_megapixels())
    if megapixels > limit:
        raise LimitError(
            f"a row of tiles of the result has {width}x{height} = {megapixels:.1f} megapixels, "
            f"more than the limit of {limit:g}",
            fix=f"edgesr --max-megapixels {math.ceil(megapixels / _BAND_SHARE)} COMMAND ...",
        )
