"""Write tests/data/: photographs cut from a folder of originals, and files in rare formats.

    python tests/data/make_pictures.py FOLDER_WITH_GB82_PHOTOGRAPHS

The rare files are written by Pillow, so that they do not come from the library that reads them.
"""

import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms

from edgesr.imaging.resize import imresize

HERE = Path(__file__).parent
RARE = HERE / "pictures"


def photographs(folder: Path) -> None:
    dog = cv2.imread(str(folder / "gb82_dog-lossless.jpg"))
    cv2.imwrite(
        str(HERE / "photo.png"), imresize(dog[40:472], 0.25), [cv2.IMWRITE_PNG_COMPRESSION, 9]
    )
    city = cv2.imread(str(folder / "gb82_nyc-lossless.jpg"))
    cv2.imwrite(str(HERE / "city_512.jpg"), city[64:, 32:544], [cv2.IMWRITE_JPEG_QUALITY, 90])


def png_chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def rare() -> None:
    RARE.mkdir(exist_ok=True)
    photo = Image.open(HERE / "photo.png").crop((40, 20, 64, 36))  # 24 x 16
    grey = photo.convert("L")
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 24).astype(np.uint8), (16, 1)))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0xA002: 24, 0xA003: 16, 0x829A: 0.01})
    exif.get_ifd(1).update({0x0103: 6})  # a second directory, as of a thumbnail
    for ending in ("png", "jpg", "webp"):
        options = {"lossless": True} if ending == "webp" else {}
        photo.save(RARE / f"turned_exif_icc.{ending}", exif=exif, icc_profile=srgb, **options)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        photo.save(RARE / f"orientation_{orientation}.png", exif=exif)
    exif[0x0112] = 6
    photo.save(RARE / "turned_icc.tiff", exif=exif, icc_profile=srgb)

    rgba, grey_alpha = photo.copy(), Image.merge("LA", [grey, ramp])
    rgba.putalpha(ramp)
    rgba.save(RARE / "rgba.png")
    rgba.save(RARE / "rgba.webp", lossless=True, exact=True)
    rgba.save(RARE / "rgba_straight.tiff")
    grey_alpha.save(RARE / "grey_alpha.png")
    grey_alpha.save(RARE / "grey_alpha.tiff")
    grey.save(RARE / "grey.png")
    grey.save(RARE / "grey.jpg", quality=95)
    grey.convert("1").save(RARE / "bilevel.png")
    grey.save(RARE / "grey.tiff", compression="tiff_lzw")
    grey.save(RARE / "grey.bmp")
    grey.save(RARE / "grey_key.png", transparency=grey.getpixel((3, 5)))
    palette = photo.quantize(16)
    palette.save(RARE / "palette.png")
    palette.save(RARE / "palette_key.png", transparency=3)
    photo.save(RARE / "progressive.jpg", progressive=True, quality=95)
    photo.convert("CMYK").save(RARE / "cmyk.jpg", quality=98)
    photo.convert("CMYK").save(RARE / "cmyk.tiff")
    photo.save(RARE / "picture.gif")
    Image.fromarray(np.asarray(grey, np.float32) / 255).save(RARE / "float.tiff")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(RARE / "grey_16.png")
    frames = [photo, photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    frames[0].save(RARE / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)
    frames[0].save(RARE / "animated.png", save_all=True, append_images=frames[1:])
    frames[0].save(RARE / "pages.tiff", save_all=True, append_images=frames[1:])

    samples = np.dstack([np.asarray(photo), np.asarray(ramp)]).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", 24, 16, 16, 6, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)
    (RARE / "rgba_16.png").write_bytes(png)


if __name__ == "__main__":
    photographs(Path(sys.argv[1]))
    rare()
