"""Pictures of all formats and depths that are read, whole and with a few bytes changed."""

import io
import random
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from benchmarks.hostile.hand_made import png, sealed, tiled_tiff
from benchmarks.hostile.more_seeds import more_seeds

_ORIENTATION, _MAKER = 274, 271  # tags of EXIF
_SIZES = ((37, 29), (64, 40), (5, 3))


def seeds() -> dict[str, bytes]:
    """Return more than sixty pictures by name, the file's ending last; the same at every call."""
    found: dict[str, bytes] = {}
    turned = Image.Exif()
    turned[_ORIENTATION], turned[_MAKER] = 6, "maker" * 60
    for width, height in _SIZES:
        rng = np.random.default_rng(width)
        wave = np.add.outer(np.arange(height) * 5, np.arange(width) * 3)[:, :, None]
        rgb = (
            (wave + np.array([0, 40, 90]) + rng.integers(0, 9, (height, width, 3))) % 256
        ).astype(np.uint8)
        alpha = np.dstack([rgb, np.full((height, width), 255, np.uint8)])
        alpha[: height // 2, :, 3] = 128
        images = {
            "1": Image.fromarray(rgb).convert("1"),
            "L": Image.fromarray(rgb[:, :, 0]),
            "P": Image.fromarray(rgb).quantize(200),
            "P4": Image.fromarray(rgb).quantize(16),
            "P2": Image.fromarray(rgb).quantize(4),
            "LA": Image.fromarray(alpha).convert("LA"),
            "RGB": Image.fromarray(rgb),
            "RGBA": Image.fromarray(alpha),
            "CMYK": Image.fromarray(rgb).convert("CMYK"),
        }
        size = f"{width}x{height}"

        def save(
            name: str,
            mode: str,
            kind: str,
            size: str = size,
            images: dict[str, Image.Image] = images,
            **options: object,
        ) -> None:
            file = io.BytesIO()
            images[mode].save(file, kind, **options)
            ending = {"JPEG": "jpg", "TIFF": "tif"}.get(kind, kind.lower())
            found[f"{name}_{mode}_{size}.{ending}"] = file.getvalue()

        for mode in ("1", "L", "P", "P4", "P2", "LA", "RGB", "RGBA"):
            save("png", mode, "PNG")
        for mode in ("L", "RGB", "CMYK"):
            save("baseline", mode, "JPEG", quality=80)
            save("progressive", mode, "JPEG", progressive=True)
        save("restart", "RGB", "JPEG", restart_marker_blocks=2)
        save("lossy", "RGB", "WEBP", quality=70)
        save("lossless", "RGB", "WEBP", lossless=True)
        save("alpha", "RGBA", "WEBP", quality=70)
        for mode in ("1", "L", "P", "RGB"):
            save("raw", mode, "TIFF")
            save("bmp", mode, "BMP")
        save("lzw", "RGB", "TIFF", compression="tiff_lzw")
        save("deflate", "RGB", "TIFF", compression="tiff_adobe_deflate")
        save("packbits", "L", "TIFF", compression="packbits")
        save("group4", "1", "TIFF", compression="group4")
        save("jpeg", "RGB", "TIFF", compression="jpeg")
        for kind in ("PNG", "JPEG", "WEBP"):
            save("turned", "RGB", kind, exif=turned)
        save("apng", "RGB", "PNG", save_all=True, append_images=[images["RGB"].rotate(180)] * 2)
        for name, pixels in (("grey16", rgb[:, :, 0]), ("rgb16", rgb), ("rgba16", alpha)):
            wide = pixels.astype(np.uint16) * 257
            found[f"{name}_{size}.png"] = cv2.imencode(".png", wide)[1].tobytes()
            found[f"{name}_{size}.tif"] = cv2.imencode(".tif", wide)[1].tobytes()
        found[f"adam7_RGB_{size}.png"] = png(rgb, 8, interlaced=True)
        for depth in (2, 4):
            few = rgb[:, :, 0] >> (8 - depth)
            found[f"grey{depth}_{size}.png"] = png(few, depth, interlaced=False)
            found[f"adam7_grey{depth}_{size}.png"] = png(few, depth, interlaced=True)
        found[f"tiled_{size}.tif"] = tiled_tiff(rgb)
        found[f"tiled_deflate_{size}.tif"] = tiled_tiff(rgb, deflated=True)
    return found | more_seeds()


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return the file with one to four changes."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = (
            rng.randrange(len(changed))
            if rng.random() < 0.6
            else rng.randrange(min(len(changed), 64))
        )
        choice = rng.randrange(6)
        if choice == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif choice == 1:
            changed[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif choice == 2:
            order: Literal["little", "big"] = rng.choice(("little", "big"))
            value = rng.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
            changed[at : at + 4] = value.to_bytes(4, order)
        elif choice == 3:
            del changed[at : at + rng.randint(1, 40)]
        elif choice == 4:
            changed[at:at] = changed[at : at + rng.randint(1, 40)]
        else:
            del changed[max(at, 1) :]
        if len(changed) < 2:
            break
    return bytes(changed)


def nudge(data: bytes, rng: random.Random) -> bytes:
    """Return the file with one or two bytes changed, its checksums true again where it has some.

    What `mutate` does is mostly seen by a look at the headers; this reaches the decoders.
    """
    changed = bytearray(data)
    for _ in range(rng.randint(1, 2)):
        end = len(changed) if rng.random() < 0.6 else min(len(changed), 200)
        at = rng.randrange(end)
        if rng.random() < 0.5:
            changed[at] ^= 1 << rng.randrange(8)
        else:
            changed[at] = rng.choice((0, 1, 2, 3, 4, 8, 16, 32, 127, 128, 255, rng.randrange(256)))
    return sealed(bytes(changed)) if data.startswith(b"\x89PNG") else bytes(changed)


def cases(
    count: int, first: int = 0, of: dict[str, bytes] | None = None
) -> list[tuple[str, bytes]]:
    """Return mutated files, the same for the same numbers; seed and number make the name.

    Args:
        count: of files.
        first: number of the first one.
        of: pictures to mutate; all `seeds` unless given.
    """
    known = sorted((seeds() if of is None else of).items())
    made = []
    for number in range(first, first + count):
        name, data = known[number % len(known)]
        change = nudge if number // len(known) % 2 else mutate
        made.append((f"{number:05d}_{name}", change(data, random.Random(number))))
    return made
