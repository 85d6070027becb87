"""Pixels whose number is outside of the palette: black, and told; Pillow judges PNG's colours."""

import io
import struct
import zlib

import numpy as np
import pytest
from bmp_files import os2, runs
from numpy.typing import NDArray
from PIL import Image

from edgesr.imaging.palette import LACKING
from edgesr.imaging.picture import decode

SHAPE = (9, 13)
WHOLE = np.array([[255, 255, 255], [0, 0, 0], [1, 1, 1], [200, 10, 90]], np.uint8)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(numbers: NDArray[np.uint8], entries: bytes, bits: int, alpha: bytes = b"") -> bytes:
    height, width = numbers.shape
    unpacked = np.unpackbits(numbers[:, :, None], axis=2)[:, :, 8 - bits :]
    rows = np.packbits(unpacked.reshape(height, -1), axis=1)
    head = struct.pack(">IIBBBBB", width, height, bits, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head)
        + _chunk(b"PLTE", entries) + (_chunk(b"tRNS", alpha) if alpha else b"")
        + _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
        + _chunk(b"IEND", b"")
    )  # fmt: skip


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("alpha", [b"", b"\x40"])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_png_pixel_outside_of_the_palette_is_told(bits: int, alpha: bytes, size: int) -> None:
    size = min(size, 1 << bits)
    rng = np.random.default_rng(bits)
    for most in (size, 1 << bits):
        numbers = rng.integers(0, most, SHAPE).astype(np.uint8)
        data = _png(numbers, WHOLE[:size].tobytes(), bits, alpha)
        picture = decode(data)
        theirs = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
        np.testing.assert_array_equal(picture.colour, theirs[:, :, :3])
        if alpha:
            np.testing.assert_array_equal(picture.alpha, theirs[:, :, 3])
        assert picture.notes == ((LACKING,) if numbers.max() >= size else ())


def test_the_new_entries_are_taken_for_no_old_one() -> None:
    """All greys but one are in the palette, and all of it is shown."""
    numbers = np.arange(255, dtype=np.uint8).reshape(15, 17)
    greys = np.delete(np.arange(256, dtype=np.uint8), 77)
    picture = decode(_png(numbers, np.repeat(greys, 3).tobytes(), 8))
    np.testing.assert_array_equal(picture.colour[:, :, 1].ravel(), greys)
    assert picture.notes == ()


@pytest.mark.parametrize(
    ("bits", "packed"), [(1, False), (4, False), (8, False), (4, True), (8, True)]
)
def test_a_bmp_pixel_outside_of_the_palette_is_told(bits: int, packed: bool) -> None:
    numbers = np.zeros(SHAPE, np.uint8)
    numbers[3, 4:9] = (1 << bits) - 1
    palette = np.full((1 << bits, 3), 200, np.uint8)
    whole = bytearray(runs(numbers, palette, bits) if packed else os2(numbers, palette, bits, 64))
    assert decode(bytes(whole)).notes == ()
    struct.pack_into("<I", whole, 46, (1 << bits) - 1)  # colours that are used
    picture = decode(bytes(whole))
    assert picture.notes == (LACKING,)
    assert not picture.colour[3, 4:9].any()
    assert (picture.colour[:3] == 200).all()
