"""Pixels by OpenCV's decoders, and what these complained about."""

import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.quiet import captured_stderr

# Complaints that mean pixels are missing and were made up; others are harmless or remarks. What
# libtiff cannot follow in a fax it calls a warning, and goes on with white.
_MADE_UP = re.compile(
    r"premature end|TIFF_Error|TIFF_Warning Fax\w+: |libpng error|"
    r"JPEG datastream contains no image|Invalid SOS parameters|Inconsistent progression",
    re.I,
)
_TOO_LARGE = re.compile(r"CV_IO_MAX_IMAGE|exceeds user limit")
_NO_MEMORY = re.compile(r"OutOfMemory|Insufficient memory|Failed to allocate|bad_alloc")
_REMARK = re.compile(r"^(Corrupt JPEG data: .*|Unknown Adobe color transform code .*)$", re.M)


def decode_samples(data: bytes, kind: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return the pixels as stored: (height, width) or (height, width, channels) BGR, and remarks.

    Args:
        data: a file whose size was checked.
        kind: of the file, for messages.

    Raises:
        ImageError: damaged, beyond the library, or there is too little memory.
    """
    block = np.frombuffer(data, np.uint8)
    failure = ""
    pixels: NDArray[Any] | None = None
    with captured_stderr() as complaints:
        try:
            pixels = cv2.imdecode(block, cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            failure = str(error)
    if pixels is None or _MADE_UP.search(complaints.text):
        raise _refusal(kind, failure + complaints.text)
    return pixels, tuple(_REMARK.findall(complaints.text))


def _refusal(kind: str, complaints: str) -> ImageError:
    """Return what is wrong with a picture that its decoder refused, by what it said."""
    if _NO_MEMORY.search(complaints):
        return no_memory(kind)
    if _TOO_LARGE.search(complaints):
        return ImageError(
            f"the {kind} picture is larger than OpenCV decodes (2^30 pixels, 2^20 a side)"
        )
    return ImageError(f"the {kind} file is damaged or cut short")


def no_memory(kind: str) -> ImageError:
    """Return the error of a picture that the machine's memory is too small for."""
    return ImageError(
        f"there is too little memory to decode the {kind} picture",
        fix="close other programs, or cut the picture into parts",
    )
