"""BMP files of all kinds: by hand, judged by Pillow where it reads them."""

import io
import struct
import time

import numpy as np
import pytest
from bmp_files import masked, os2, runs
from PIL import Image

from edgesr.errors import ImageError
from edgesr.imaging.picture import decode

RNG = np.random.default_rng(5)
SHAPE = (21, 37)


@pytest.mark.parametrize("bits", [1, 4, 8])
@pytest.mark.parametrize("header", [12, 64])
def test_palettes_of_os2(header: int, bits: int) -> None:
    palette = RNG.integers(0, 256, (1 << bits, 3)).astype(np.uint8)
    numbers = RNG.integers(0, 1 << bits, SHAPE).astype(np.uint8)
    data = os2(numbers, palette, bits, header)
    picture = decode(data)
    np.testing.assert_array_equal(picture.colour, palette[numbers])
    judge = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(picture.colour, judge)


@pytest.mark.parametrize(
    ("kind", "masks"),
    [
        (np.uint16, (0x7C00, 0x03E0, 0x001F)),
        (np.uint16, (0xF800, 0x07E0, 0x001F)),
        (np.uint16, (0x0F00, 0x00F0, 0x000F)),
        (np.uint16, (0x000E, 0x01F0, 0xFE00)),
        (np.uint32, (0xFF000000, 0x00FF0000, 0x0000FF00)),
        (np.uint32, (0x3FF00000, 0x000FFC00, 0x000003FF)),
        (np.uint32, (0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)),
        (np.uint16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
    ],
)
def test_any_masks(kind: type, masks: tuple[int, ...]) -> None:
    values = RNG.integers(0, np.iinfo(kind).max, SHAPE, kind, endpoint=True)
    picture = decode(masked(values, masks))
    layers = [picture.colour[:, :, channel] for channel in range(3)]
    if len(masks) == 4:
        assert picture.alpha is not None
        layers.append(picture.alpha)
    for layer, mask in zip(layers, masks, strict=True):
        shift = (mask & -mask).bit_length() - 1
        share = ((values & mask) >> shift) / (mask >> shift)
        np.testing.assert_array_equal(layer, np.rint(share * picture.white))
    assert (picture.white == 65535) == (0x3FF00000 in masks)
    assert picture.metadata.density is not None
    assert round(picture.metadata.density.across) == 72


@pytest.mark.parametrize("masks", [(0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F)])
def test_common_masks_as_pillow_sees_them(masks: tuple[int, ...]) -> None:
    data = masked(RNG.integers(0, 65536, SHAPE).astype(np.uint16), masks)
    judge = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(decode(data).colour - judge).max() <= 1


@pytest.mark.parametrize("bits", [4, 8])
def test_runs(bits: int) -> None:
    palette = RNG.integers(0, 256, (1 << bits, 3)).astype(np.uint8)
    numbers = RNG.integers(0, 1 << bits, SHAPE).astype(np.uint8)
    numbers[:, :9] = numbers[:, :1]
    data = runs(numbers, palette, bits)
    np.testing.assert_array_equal(decode(data).colour, palette[numbers])
    judge = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(judge, palette[numbers])
    for cut in (len(data) - 2, len(data) - 30, len(data) * 2 // 3):
        if cut == len(data) - 2:
            np.testing.assert_array_equal(decode(data[:cut]).colour, palette[numbers])
        else:
            with pytest.raises(ImageError, match="damaged or cut short"):
                decode(data[:cut])


def test_a_bomb_of_runs_takes_no_minutes() -> None:
    pair, rows, width = b"\1\0", 3_000, 3_000
    head = struct.pack("<IiiHHIIiiII", 40, width, rows, 1, 8, 1, 0, 0, 0, 0, 0)
    at = 14 + 40 + 1024
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, at) + head + bytes(1024) + (
        pair * width + b"\0\0"
    ) * rows  # fmt: skip
    start = time.process_time()
    with pytest.raises(ImageError, match="more than 2 MiB of runs"):
        decode(data)
    assert time.process_time() - start < 10.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((14, 44), "a header of 44 bytes"),
        ((30, 4), "JPEG data inside"),
        ((30, 5), "PNG data inside"),
        ((28, 48), "48 bits a pixel"),
    ],
)
def test_valid_but_not_read_is_named(change: tuple[int, int], said: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 4)).save(file, "BMP")
    data = bytearray(file.getvalue())
    struct.pack_into("<H", data, *change)
    with pytest.raises(ImageError, match=said) as refused:
        decode(bytes(data))
    assert refused.value.fix
