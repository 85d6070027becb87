"""Photoshop's image resources, the wrapping in which JPEG and TIFF files carry IPTC data.

A resource is `8BIM`, its number, a name and a block of bytes, the last two padded to even length
(Adobe Photoshop File Formats Specification, "Image Resource Blocks").
"""

import struct

JPEG_HEADER = b"Photoshop 3.0\0"
"""How an APP13 segment begins that holds such resources."""

_IPTC = 0x0404
_MOST = 10_000


def read_iptc(resources: bytes) -> bytes | None:
    """Return the IPTC-IIM records in a row of resources, None where there are none."""
    at = 0
    for _ in range(_MOST):
        if resources[at : at + 4] != b"8BIM" or at + 12 > len(resources):
            return None
        (number,) = struct.unpack_from(">H", resources, at + 4)
        name = resources[at + 6] + 1
        at += 6 + name + name % 2
        if at + 4 > len(resources):
            return None
        (size,) = struct.unpack_from(">I", resources, at)
        if number == _IPTC:
            block = resources[at + 4 : at + 4 + size]
            return block if size and len(block) == size else None
        at += 4 + size + size % 2
    return None


def wrap_iptc(records: bytes) -> bytes:
    """Return IPTC-IIM records as a resource."""
    return (
        b"8BIM" + struct.pack(">HHI", _IPTC, 0, len(records)) + records + b"\0" * (len(records) % 2)
    )
