"""JPEG files marker by marker: their size, and how much work their decoding is (ITU T.81)."""

import re
import struct

from edgesr.errors import ImageError
from edgesr.imaging.limits import MAX_SCANS, check_size

_NOT_FILL = re.compile(rb"[^\xff]")
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # no stuffed or fill byte, no restart marker
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SCAN, _END, _ALONE = 0xDA, 0xD9, (0x01, *range(0xD0, 0xD9))
_MARKERS = 10_000  # of one picture; cameras write a few hundred at most, each of up to 64 KiB
_PIXEL_BYTES = 6  # more than the noisiest pixels take at the best quality
_OTHER_BYTES = 32 << 20  # for metadata, previews and fill bytes


def read_jpeg(data: bytes) -> int:
    """Return the number of components after checking size and scans.

    Raises:
        IndexError, struct.error: damaged or cut short.
        ImageError: more pixels, scans, markers or bytes than the limits.
    """
    at, components, scans, room = 2, 0, 0, _OTHER_BYTES
    for _ in range(_MARKERS):
        if data[at] != 0xFF:
            # Some cameras leave bytes between segments; a decoder passes over them, and says so.
            if not components:
                raise IndexError
            at = _find(_MARKER, data, at, room)
        at = _find(_NOT_FILL, data, at, room)
        marker = data[at]
        at += 1
        if marker == _END:
            if not components or not scans:
                raise IndexError
            return components
        if marker in _ALONE:
            continue
        (size,) = struct.unpack_from(">H", data, at)
        if marker in _FRAMES and not components:
            height, width, components = struct.unpack_from(">HHB", data, at + 3)
            check_size("JPEG", width, height)
            room += _PIXEL_BYTES * width * height
        at += size
        if marker == _SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise _too_much(f"{MAX_SCANS} scans")
            at = _find(_MARKER, data, at, room)  # without an end marker the rest is missing
    raise _too_much(f"{_MARKERS} markers")


def _find(pattern: re.Pattern[bytes], data: bytes, at: int, room: int) -> int:
    """Return where the pattern begins, at `at` or behind it.

    Raises:
        IndexError: nowhere in the file.
        ImageError: not within the first `room` bytes.
    """
    found = pattern.search(data, at, room)
    if found is not None:
        return found.start()
    if len(data) > room:
        raise _too_much(f"{room} bytes before its end")
    raise IndexError


def _too_much(limit: str) -> ImageError:
    return ImageError(f"the JPEG file has more than {limit}", fix="save it as PNG first")
