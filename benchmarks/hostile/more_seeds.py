"""Pictures that other decoders than OpenCV's read here: TIFF, BMP, AVIF, HEIC, JPEG XL."""

import io

import imagecodecs
import numpy as np
from PIL import Image

from benchmarks.shared.folders import ROOT

_PICTURES = ROOT / "tests/data/pictures"
_SIZE = (37, 29)


def more_seeds() -> dict[str, bytes]:
    """Return files by name, the ending last; the same at every call."""
    width, height = _SIZE
    wave = np.add.outer(np.arange(height) * 5, np.arange(width) * 3)[:, :, None]
    rgb = ((wave + np.array([0, 40, 90])) % 256).astype(np.uint8)
    image = Image.fromarray(rgb)
    alpha = image.copy()
    alpha.putalpha(Image.fromarray(rgb[:, :, 0]))
    found = {}
    for name, mode, compression in (
        ("fax3", "1", "group3"), ("fax4", "1", "group4"), ("jpeg", "RGB", "jpeg"),
        ("cmyk", "CMYK", None), ("zstd", "RGB", "zstd"), ("lzma", "RGB", "lzma"),
        ("grey_alpha", "LA", None),
    ):  # fmt: skip
        found[f"{name}_{mode}.tif"] = _saved(image.convert(mode), "TIFF", compression=compression)
    found |= _by_tifffile(rgb)
    found["rgba.tif"] = _saved(alpha, "TIFF", compression="tiff_lzw")
    found["four_bits.bmp"] = _saved(image.quantize(16), "BMP")
    found["rgb.avif"] = _saved(image, "AVIF", quality=90)
    found["rgba.avif"] = _saved(alpha, "AVIF", quality=90)
    for bits in (10, 12):
        deep = rgb.astype(np.uint16) << (bits - 8)
        found[f"{bits}_bits.avif"] = bytes(
            imagecodecs.avif_encode(deep, level=90, bitspersample=bits)
        )
    for name in ("alpha", "grey", "ten_bits"):  # Pillow turns the other one once too often
        found[f"{name}.heic"] = (_PICTURES / f"{name}.heic").read_bytes()
    # Pillow takes the colours of the one with a profile as linear light, and no floats.
    for name in ("alpha", "deep", "exact", "grey", "ten_bits", "turned"):
        found[f"{name}.jxl"] = (_PICTURES / f"{name}.jxl").read_bytes()
    for name, pixels in (("vardct", rgb), ("modular", rgb), ("grey_modular", rgb[:, :, 0])):
        level = 90 if name == "vardct" else 101
        found[f"{name}_{_SIZE[0]}.jxl"] = bytes(imagecodecs.jpegxl_encode(pixels, level=level))
    return found


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _by_tifffile(rgb: np.ndarray) -> dict[str, bytes]:
    import tifffile

    found = {}
    apart = np.moveaxis(rgb, -1, 0)
    deep = rgb[:, :, 0].astype(np.uint16) * 257
    tiled = {"compression": "zlib", "tile": (16, 32)}
    for name, pixels, options in (
        ("planar", apart, {"photometric": "rgb", "planarconfig": "separate"}),
        ("big", rgb, {"photometric": "rgb", "bigtiff": True}),
        ("white_is_zero", rgb[:, :, 0], {"photometric": "miniswhite"}),
        ("predictor", rgb, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        ("big_end", rgb, {"photometric": "rgb", "byteorder": ">", "compression": "lzw"}),
        ("planar_tiled", apart, {"photometric": "rgb", "planarconfig": "separate", **tiled}),
        ("tiled_jpeg", rgb, {"photometric": "rgb", "compression": "jpeg", "tile": (16, 32)}),
        ("tiled_predictor", rgb, {"photometric": "rgb", "predictor": True, **tiled}),
        ("deep_grey", deep, {"photometric": "minisblack", "predictor": True, **tiled}),
        ("deep_big_end", deep, {"photometric": "minisblack", "byteorder": ">"}),
        ("float", deep.astype(np.float32) / 65535, {"photometric": "minisblack"}),
        ("float_predictor", deep.astype(np.float32) / 65535, {"predictor": 3, **tiled}),
    ):
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, metadata=None, **options)
        found[f"{name}.tif"] = file.getvalue()
    return found
