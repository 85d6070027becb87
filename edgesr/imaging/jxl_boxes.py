"""The boxes around the picture of a JPEG XL file (ISO/IEC 18181-2), which hold EXIF and XMP data.

A file may also be the bare picture, without boxes.
"""

from collections.abc import Iterator

from edgesr.imaging.jpeg import EXIF as JPEG_PREFIX
from edgesr.imaging.metadata import MOST_BYTES

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
EXIF, XMP, OF_A_JPEG = b"Exif", b"xml ", b"jbrd"

_COMPRESSED = b"brob"
_HEAD, _LONG_HEAD = 8, 16
_MOST_BOXES = 100_000


def read_boxes(data: bytes) -> tuple[dict[bytes, bytes], tuple[str, ...]]:
    """Return the content of the first box of each kind that is kept, and notes on what is not.

    A box of Brotli's compression counts as what it holds. That a file was made of a JPEG file is
    told by a box as well, whose content is not taken.
    """
    found: dict[bytes, bytes] = {}
    lost: set[bytes] = set()
    for outer, start, end in _boxes(data):
        is_compressed = outer == _COMPRESSED
        name = data[start : start + 4] if is_compressed else outer
        if name == OF_A_JPEG:
            found[name] = b""
        if name not in (EXIF, XMP) or name in found:
            continue
        content: bytes | None = data[start : min(end, start + MOST_BYTES + 1)]
        if is_compressed:
            content = _unpacked(data[start + 4 : min(end, start + MOST_BYTES)])
        if content is None or len(content) > MOST_BYTES:
            lost.add(name)
        else:
            found[name] = content
    called = {EXIF: "EXIF", XMP: "XMP"}
    return found, tuple(f"its {called[name]} data could not be read" for name in sorted(lost))


def tiff_of(box: bytes) -> bytes | None:
    """Return the EXIF block of an `Exif` box, None if there is none where it says.

    Args:
        box: its content: four bytes say how far behind them the TIFF header lies.
    """
    start = 4 + int.from_bytes(box[:4], "big")
    return box[start:].removeprefix(JPEG_PREFIX) or None


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, and where the content begins and ends, of boxes up to the first broken one."""
    at = 0 if data.startswith(SIGNATURE) else len(data)
    for _ in range(_MOST_BOXES):
        if at + _HEAD > len(data):
            return
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        head = _HEAD
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), _LONG_HEAD
        elif size == 0:
            size = len(data) - at
        if size < head:
            return
        yield name, at + head, min(at + size, len(data))
        at += size


def _unpacked(content: bytes) -> bytes | None:
    """Return what Brotli compressed, None if it is damaged or longer than is kept."""
    import imagecodecs

    try:
        return bytes(imagecodecs.brotli_decode(content, out=MOST_BYTES))
    except (imagecodecs.BrotliError, ValueError, RuntimeError):
        return None
