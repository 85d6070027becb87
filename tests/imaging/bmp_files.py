"""BMP files of rare kinds, made by hand: OS/2, odd masks, runs."""

import struct

import numpy as np
from numpy.typing import NDArray


def _file(header: bytes, palette: bytes, pixels: bytes) -> bytes:
    at = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + header + palette + pixels


def _packed(numbers: NDArray[np.uint8], bits: int) -> bytes:
    """Return rows from the last to the first, each filled to four bytes."""
    unpacked = np.unpackbits(numbers[::-1, :, None], axis=2)[:, :, 8 - bits :]
    rows = np.packbits(unpacked.reshape(len(numbers), -1), axis=1)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()


def os2(
    numbers: NDArray[np.uint8], palette: NDArray[np.uint8], bits: int, header: int = 12
) -> bytes:
    """Return a file of OS/2 1.x (12 bytes of header, 3 an entry), or 2.x (64 and 4)."""
    height, width = numbers.shape
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
        entries = palette[:, ::-1].tobytes()
    else:
        head = struct.pack("<IiiHH", header, width, height, 1, bits).ljust(header, b"\0")
        entries = np.pad(palette[:, ::-1], ((0, 0), (0, 1))).tobytes()
    return _file(head, entries, _packed(numbers, bits))


def masked(values: NDArray[np.unsignedinteger], masks: tuple[int, ...]) -> bytes:
    """Return a file of bit fields; (height, width) uint16 or uint32, and three or four masks."""
    height, width = values.shape
    bits = 8 * values.dtype.itemsize
    version = 108 if len(masks) == 4 else 40
    head = struct.pack("<IiiHHIIiiII", version, width, height, 1, bits, 3, 0, 2835, 2835, 0, 0)
    head += struct.pack(f"<{len(masks)}I", *masks)
    head = head.ljust(version, b"\0") if version == 108 else head
    rows = np.ascontiguousarray(values[::-1]).view(np.uint8).reshape(height, -1)
    return _file(head, b"", np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes())


def runs(numbers: NDArray[np.uint8], palette: NDArray[np.uint8], bits: int) -> bytes:
    """Return a run-length coded file of 8 or 4 bits: a run, then numbers as they are, a row."""
    height, width = numbers.shape
    out = b""
    for row in numbers[::-1]:
        repeat = int(np.argmin(np.append(row == row[0], False)))
        first = int(row[0]) * (1 if bits == 8 else 17)
        out += bytes([repeat, first])
        rest = row[repeat:]
        while len(rest):
            part, rest = rest[:254], rest[254:]
            if len(part) < 3:
                for number in part:
                    out += bytes([1, int(number) * (1 if bits == 8 else 17)])
                continue
            block = part.tobytes() if bits == 8 else _nibbles(part)
            out += bytes([0, len(part)]) + block + bytes(len(block) % 2)
        out += b"\0\0"
    out += b"\0\1"
    packing = 1 if bits == 8 else 2
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, len(out), 0, 0, 0, 0)
    return _file(head, np.pad(palette[:, ::-1], ((0, 0), (0, 1))).tobytes(), out)


def _nibbles(part: NDArray[np.uint8]) -> bytes:
    padded = np.pad(part, (0, len(part) % 2))
    return bytes(padded[::2] << 4 | padded[1::2])
