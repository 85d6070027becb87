"""A small CMYK profile made here, since none that may be passed on is small (ICC.1:2022)."""

import struct

import numpy as np
from PIL import Image, ImageCms


def cmyk_profile() -> bytes:
    """Return a printer's profile of two points a side: black takes more than inks leave."""
    inks = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    paper = 0.97 - np.array([0.55, 0.75, 0.80]) * inks[:, :3]  # inks are no pure colours
    rgb = np.clip(paper * (1 - 0.92 * inks[:, 3:]), 0, 1)
    image = Image.fromarray(np.rint(rgb * 255).astype(np.uint8)[None])
    lab = ImageCms.applyTransform(
        image,
        ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        ),
    )
    assert lab is not None
    grid = (np.asarray(lab)[0].astype(np.uint8) + np.array([0, 128, 128])).astype(np.uint8)
    straight = bytes(range(256))
    table = (
        b"mft1" + bytes(4) + bytes([4, 3, 2, 0])
        + struct.pack(">9i", *(65536 * (row == column) for row in range(3) for column in range(3)))
        + straight * 4 + grid.tobytes() + straight * 3
    )  # fmt: skip
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"desc" + bytes(4) + struct.pack(">I", 6) + b"small\0" + bytes(78)
    blocks = [(b"A2B0", table), (b"wtpt", white), (b"desc", text)]
    at, entries, content = 128 + 4 + 12 * len(blocks), b"", b""
    for name, block in blocks:
        padded = block + bytes(-len(block) % 4)
        entries += name + struct.pack(">II", at + len(content), len(block))
        content += padded
    size = at + len(content)
    header = (
        struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, b"prtr", b"CMYK", b"Lab ")
        + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
        + struct.pack(">3i", 63190, 65536, 54061) + bytes(48)
    )  # fmt: skip
    return header + struct.pack(">I", len(blocks)) + entries + content


def srgb_profile() -> bytes:
    """Return LittleCMS's sRGB profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
