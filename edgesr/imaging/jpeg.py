"""JPEG files marker by marker: their size, and how many passes their decoding takes (ITU T.81)."""

import re
import struct

from edgesr.errors import ImageError
from edgesr.imaging.limits import MAX_SCANS, check_size

_NOT_FILL = re.compile(rb"[^\xff]")
_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")  # not a stuffed byte, not a restart marker
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SCAN, _END, _ALONE = 0xDA, 0xD9, (0x01, *range(0xD0, 0xD9))


def read_jpeg(data: bytes) -> int:
    """Return the number of components after checking size and scans.

    Raises:
        IndexError, struct.error: damaged or cut short.
        ImageError: more pixels or scans than the limit.
    """
    at, components, scans = 2, 0, 0
    while True:
        if data[at] != 0xFF:
            # Some cameras leave bytes between segments; a decoder passes over them, and says so.
            found = _MARKER.search(data, at)
            if found is None or not components:
                raise IndexError
            at = found.start()
        fill = _NOT_FILL.search(data, at)
        if fill is None:
            raise IndexError
        at = fill.end()
        marker = data[at - 1]
        if marker == _END:
            break
        if marker in _ALONE:
            continue
        (size,) = struct.unpack_from(">H", data, at)
        if marker in _FRAMES and not components:
            height, width, components = struct.unpack_from(">HHB", data, at + 3)
            check_size("JPEG", width, height)
        at += size
        if marker == _SCAN:
            scans += 1
            if scans > MAX_SCANS:
                raise ImageError(
                    f"the JPEG file has more than {MAX_SCANS} scans", fix="save it as PNG first"
                )
            found = _MARKER.search(data, at)
            if found is None:
                raise IndexError  # no end marker: the rest is missing
            at = found.start()
    if not components or not scans:
        raise IndexError
    return components
