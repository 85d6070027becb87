import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgesr.imaging.exif import for_new_size, orientation, read_directory, upright


def block(order: str, *fields: tuple[int, int, int, bytes]) -> bytes:
    """An EXIF block with one directory and a link to a second one behind it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    entries = b"".join(struct.pack(f"{order}HHI", *field[:3]) + field[3] for field in fields)
    return head + struct.pack(f"{order}H", len(fields)) + entries + struct.pack(f"{order}I", 99)


def test_both_byte_orders_are_read_and_reset() -> None:
    for order in "<>":
        exif = block(order, (0x0112, 3, 1, struct.pack(f"{order}HH", 8, 0)))
        assert orientation(exif) == 8
        changed = for_new_size(exif, 10, 20)
        assert orientation(changed) == 1
        directory = read_directory(changed)
        assert directory is not None
        assert directory.next_offset == 0
        assert len(changed) == len(exif)


def test_sizes_beyond_sixteen_bits_become_long() -> None:
    for order in "<>":
        inner = struct.pack(f"{order}H", 1) + struct.pack(f"{order}HHIHH", 0xA002, 3, 1, 500, 0)
        outer = block(order, (0x8769, 4, 1, struct.pack(f"{order}I", 26)))
        assert len(outer) == 26
        changed = for_new_size(outer + inner + bytes(4), 70_000, 20)
        directory = read_directory(changed, 26)
        assert directory is not None
        assert directory.number(0xA002) == 70_000


def test_nonsense_orientations_mean_upright() -> None:
    for value in (0, 9, 65535):
        assert orientation(block("<", (0x0112, 3, 1, struct.pack("<HH", value, 0)))) == 1
    assert orientation(None) == 1


@given(st.binary(max_size=80))
def test_no_block_is_too_broken(noise: bytes) -> None:
    for head in (b"", b"II*\0", b"MM\0*"):
        exif = head + noise
        assert 1 <= orientation(exif) <= 8
        assert len(for_new_size(exif, 5, 5)) == len(exif)


def test_turning_back_and_forth() -> None:
    """Orientations 6 and 8 undo each other, the rest undo themselves."""
    pixels = np.arange(24).reshape(2, 4, 3)
    inverse = {6: 8, 8: 6}
    for stored in range(1, 9):
        turned = upright(upright(pixels, stored), inverse.get(stored, stored))
        np.testing.assert_array_equal(turned, pixels)
