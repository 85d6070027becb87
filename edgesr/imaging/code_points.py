"""The colours of a PNG file's chunk cICP, stated in an AVIF file: box colr (ISO 23000-22, 7.3.6).

Both name primaries and transfer function by the numbers of ITU-T H.273. How Y, Cb and Cr became R,
G and B, which the box says too, is the encoder's to choose and stays.
"""

import struct

_BOX = b"colrnclx"
_CHUNK = b"cICP"


def state_code_points(avif: bytes, colour: tuple[bytes, ...]) -> tuple[bytes, bool]:
    """Return an AVIF file that states colours as PNG chunks do, and whether it can.

    Args:
        avif: a file without a profile.
        colour: chunks as `Metadata.colour` has them; where cICP is there, it alone counts (PNG,
            third edition, 4.3).
    """
    chunk = next((chunk for chunk in colour if chunk.startswith(_CHUNK)), None)
    if chunk is None or len(chunk) < len(_CHUNK) + 2 or avif.count(_BOX) != 1:
        return avif, False
    at = avif.index(_BOX) + len(_BOX)
    primaries, transfer = chunk[len(_CHUNK) : len(_CHUNK) + 2]
    return avif[:at] + struct.pack(">HH", primaries, transfer) + avif[at + 4 :], True
