"""Every kind of picture into every format: right pixels, read back by another library.

Inputs by Pillow, tifffile, OpenCV, imagecodecs, cjxl and by hand; the results are read by tifffile
(TIFF) and Pillow (all others). `python -m pytest -v tests/imaging/test_matrix.py` prints a cell a
line.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pillow_jxl
import pytest
import tifffile
from bmp_files import masked, os2, runs
from PIL import Image

from edgesr.errors import ImageError
from edgesr.imaging.encode import FORMATS, check_fits, encode
from edgesr.imaging.picture import decode

assert pillow_jxl.Decoder  # it told Pillow of JPEG XL
DATA = Path(__file__).parents[1] / "data"
PHOTO = np.asarray(Image.open(DATA / "photo.png").crop((20, 20, 84, 68)))  # 64 x 48
DEEP = PHOTO.astype(np.uint16) * 257 ^ np.arange(64, dtype=np.uint16)[None, :, None]
GREY = np.asarray(Image.fromarray(PHOTO).convert("L"))
RAMP = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
FAR = {"JPEG": 4.0, "WebP": 4.0, "AVIF": 3.0, "JPEG XL": 3.0}
"""Mean difference of 255 that the compression of a result may make at quality 95."""


@dataclass(frozen=True)
class Source:
    """A file and what is in it: (height, width, 3 or 4), and how far its own compression is off."""

    data: bytes
    truth: np.ndarray
    grey: bool = False
    far: float = 0.0


def _rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[:, :, None], 3, axis=2)


def _pillow(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **{"metadata": None, **options})
    return file.getvalue()


def _opencv(ending: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(ending, pixels)[1].tobytes()


def _sources() -> Iterator[tuple[str, Source]]:
    yield from _of_pillow()
    yield from _tiffs()
    yield from _bmps()
    yield from _moderns()


def _of_pillow() -> Iterator[tuple[str, Source]]:
    rgb, grey = Image.fromarray(PHOTO), Image.fromarray(GREY)
    rgba, la = Image.fromarray(np.dstack([PHOTO, RAMP])), Image.fromarray(np.dstack([GREY, RAMP]))
    bilevel, palette = grey.convert("1"), rgb.quantize(16)
    black = _rgb(np.asarray(bilevel).astype(np.uint8) * 255)
    few = np.asarray(palette.convert("RGB"))
    with_alpha = np.dstack([PHOTO, RAMP])
    for kind, lossy in (("PNG", 0.0), ("TIFF", 0.0), ("BMP", 0.0)):
        yield f"{kind} 8 rgb", Source(_pillow(rgb, kind), PHOTO, far=lossy)
        yield f"{kind} 8 grey", Source(_pillow(grey, kind), _rgb(GREY), True)
        yield f"{kind} 1 grey", Source(_pillow(bilevel, kind), black, True)
        yield f"{kind} palette", Source(_pillow(palette, kind), few)
    yield "PNG 8 rgba", Source(_pillow(rgba, "PNG"), with_alpha)
    yield "PNG 8 grey alpha", Source(_pillow(la, "PNG"), np.dstack([_rgb(GREY), RAMP]), True)
    yield "PNG 16 rgb", Source(_opencv(".png", DEEP[:, :, ::-1]), DEEP)
    yield "PNG 16 grey", Source(_opencv(".png", DEEP[:, :, 0]), _rgb(DEEP[:, :, 0]), True)
    deep = np.dstack([DEEP, RAMP.astype(np.uint16) * 257])
    yield "PNG 16 rgba", Source(_opencv(".png", deep[:, :, [2, 1, 0, 3]]), deep)
    yield "JPEG rgb", Source(_pillow(rgb, "JPEG", quality=95), PHOTO, far=3)
    yield (
        "JPEG progressive",
        Source(_pillow(rgb, "JPEG", quality=95, progressive=True), PHOTO, far=3),
    )
    yield "JPEG grey", Source(_pillow(grey, "JPEG", quality=95), _rgb(GREY), True, 3)
    yield "JPEG cmyk", Source(_pillow(rgb.convert("CMYK"), "JPEG", quality=95), PHOTO, far=4)
    yield "WebP lossy", Source(_pillow(rgb, "WEBP", quality=95), PHOTO, far=4)
    yield "WebP lossless", Source(_pillow(rgb, "WEBP", lossless=True), PHOTO)
    yield "WebP alpha", Source(_pillow(rgba, "WEBP", lossless=True, exact=True), with_alpha)


def _tiffs() -> Iterator[tuple[str, Source]]:
    grey16 = np.ascontiguousarray(DEEP[:, :, 0])
    apart = np.moveaxis(DEEP, -1, 0)
    rgb = {"photometric": "rgb"}
    alpha16 = RAMP.astype(np.uint16) * 257
    yield "TIFF 16 rgb", Source(_tiff(DEEP, **rgb), DEEP)
    yield "TIFF 16 planar", Source(_tiff(apart, **rgb, planarconfig="separate"), DEEP)
    yield "TIFF 16 tiled", Source(_tiff(DEEP, **rgb, tile=(16, 32), compression="zlib"), DEEP)
    yield "TIFF 16 big", Source(_tiff(DEEP, **rgb, bigtiff=True, byteorder=">"), DEEP)
    yield "TIFF 16 zstd", Source(_tiff(DEEP, **rgb, compression="zstd"), DEEP)
    yield "TIFF 8 jpeg", Source(_tiff(PHOTO, **rgb, compression="jpeg"), PHOTO, far=5)
    yield "TIFF 16 grey", Source(_tiff(grey16, photometric="minisblack"), _rgb(grey16), True)
    white = _tiff(65535 - grey16, photometric="miniswhite")
    yield "TIFF 16 white is zero", Source(white, _rgb(grey16), True)
    float32 = (grey16 / 65535).astype(np.float32)
    yield "TIFF float", Source(_tiff(float32, photometric="minisblack"), _rgb(grey16), True)
    straight = _tiff(np.dstack([DEEP, alpha16]), **rgb, extrasamples=("unassalpha",))
    yield "TIFF 16 rgba", Source(straight, np.dstack([DEEP, alpha16]))
    yield "TIFF 16 jpeg 2000", Source(_tiff(DEEP, **rgb, compression="jpeg2000"), DEEP)
    yield "TIFF 16 jpeg xl", Source(_tiff(DEEP, **rgb, compression="jpegxl"), DEEP)
    yield "TIFF 8 webp", Source(_tiff(PHOTO, **rgb, compression="webp"), PHOTO)
    yield "TIFF 16 png", Source(_tiff(DEEP, **rgb, compression="png"), DEEP)
    yield (
        "TIFF float lerc",
        Source(_tiff(float32, photometric="minisblack", compression="lerc"), _rgb(grey16), True),
    )
    grey_alpha = _tiff(
        np.dstack([GREY, RAMP]), photometric="minisblack", planarconfig="contig",
        extrasamples=("unassalpha",),
    )  # fmt: skip
    yield "TIFF 8 grey alpha", Source(grey_alpha, np.dstack([_rgb(GREY), RAMP]), True)
    cmyk = _pillow(Image.fromarray(PHOTO).convert("CMYK"), "TIFF")
    yield "TIFF cmyk", Source(cmyk, PHOTO, far=1)
    fax = Image.fromarray(GREY).convert("1")
    black = _rgb(np.asarray(fax).astype(np.uint8) * 255)
    yield "TIFF fax", Source(_pillow(fax, "TIFF", compression="group4"), black, True)


def _bmps() -> Iterator[tuple[str, Source]]:
    ramp = np.arange(256, dtype=np.uint8)
    palette = np.stack([ramp, ramp // 4 * 3 + 30, ramp // 2 + 60], axis=1)
    yield "BMP os2", Source(os2(GREY, palette, 8), palette[GREY])
    yield "BMP runs", Source(runs(GREY, palette, 8), palette[GREY])
    r, g, b = (PHOTO[:, :, channel].astype(np.uint16) for channel in range(3))
    packed = r >> 3 << 11 | g >> 2 << 5 | b >> 3
    truth = np.dstack([(r >> 3) * (255 / 31), (g >> 2) * (255 / 63), (b >> 3) * (255 / 31)])
    truth = np.rint(truth).astype(np.uint8)
    yield "BMP 565", Source(masked(packed, (0xF800, 0x7E0, 0x1F)), truth)
    wide = (r.astype(np.uint32) << 16) | (g.astype(np.uint32) << 8) | b
    wide |= RAMP.astype(np.uint32) << 24
    data = masked(wide, (0xFF0000, 0xFF00, 0xFF, 0xFF000000))
    yield "BMP 32 alpha", Source(data, np.dstack([PHOTO, RAMP]))


def _moderns() -> Iterator[tuple[str, Source]]:
    import imagecodecs

    rgb, rgba = Image.fromarray(PHOTO), Image.fromarray(np.dstack([PHOTO, RAMP]))
    options = {"quality": 95, "subsampling": "4:4:4"}
    yield "AVIF 8 rgb", Source(_pillow(rgb, "AVIF", **options), PHOTO, far=3)
    alpha = np.dstack([PHOTO, RAMP])
    yield "AVIF 8 rgba", Source(_pillow(rgba, "AVIF", **options), alpha, far=3)
    for bits in (10, 12):
        stored = imagecodecs.avif_encode(DEEP >> (16 - bits), level=95, bitspersample=bits)
        yield f"AVIF {bits} rgb", Source(stored, DEEP, far=3)
    pictures = DATA / "pictures"
    yield (
        "HEIC 8 turned",
        Source((pictures / "turned.heic").read_bytes(), np.rot90(PHOTO, -1), far=4),
    )
    yield (
        "HEIC 10",
        Source((pictures / "ten_bits.heic").read_bytes(), PHOTO.astype(np.uint16) * 257, far=4),
    )
    yield "HEIC alpha", Source((pictures / "alpha.heic").read_bytes(), alpha, far=4)
    yield "HEIC grey", Source((pictures / "grey.heic").read_bytes(), _rgb(GREY), True, 4)
    for name, file, truth, far in (
        ("8 rgb", "exact", PHOTO[20:36, 20:44], 0),
        ("8 rgba", "alpha", alpha, 3),
        ("8 grey", "grey", _rgb(GREY[20:36, 20:44]), 0),
        ("16 rgb", "deep", PHOTO.astype(np.uint16) * 257, 3),
        ("of a JPEG", "turned", np.rot90(PHOTO, -1), 4),
    ):
        stored = (pictures / f"{file}.jxl").read_bytes()
        yield f"JPEG XL {name}", Source(stored, truth, name == "8 grey", far)


SOURCES = dict(_sources())


def _read_back(data: bytes, name: str) -> np.ndarray:
    """Return (height, width, 3 or 4) as another library reads it."""
    if name == "TIFF":
        pixels = tifffile.imread(io.BytesIO(data))
        return pixels if pixels.ndim == 3 else _rgb(pixels)
    if name == "PNG" and data[24] == 16:  # Pillow has no 16 bit colour
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        return _rgb(pixels) if pixels.ndim == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    image = Image.open(io.BytesIO(data))
    if name == "JPEG XL":
        import imagecodecs

        pixels = imagecodecs.jpegxl_decode(data)  # Pillow has no 16 bit colour
        if pixels.dtype == np.uint16:
            theirs = np.asarray(image).astype(float) / (1 if "I" in image.mode else 1 / 257)
            assert np.abs(pixels - theirs).max() <= 257  # both libraries see the same
            return _rgb(pixels) if pixels.ndim == 2 else pixels
    return np.asarray(image.convert("RGBA" if "A" in image.getbands() else "RGB"))


def _white(pixels: np.ndarray) -> int:
    return int(np.iinfo(pixels.dtype).max)


@pytest.mark.parametrize("target", FORMATS, ids=lambda target: target.name)
@pytest.mark.parametrize("name", SOURCES)
def test_a_cell(name: str, target: object) -> None:
    source = SOURCES[name]
    truth = source.truth
    picture = decode(source.data)
    assert picture.white == _white(truth)
    assert picture.grey == source.grey
    assert (picture.alpha is not None) == (truth.shape[2] == 4)
    if picture.alpha is not None and not target.alpha:
        with pytest.raises(ImageError, match=f"{target.name} has no alpha channel"):
            check_fits(picture, 1, target)
        return
    check_fits(picture, 1, target)
    data, notes = encode(picture, target, 95)
    deep = _white(truth) == 65535
    assert any("8 bits a channel" in note for note in notes) == (deep and target.bits == 8)
    found = _read_back(data, target.name)
    assert found.shape == truth.shape
    assert _white(found) == (65535 if deep and target.bits == 16 else 255)
    lossless = target.name not in FAR and not source.far
    error = np.abs(found * (255.0 / _white(found)) - truth * (255.0 / _white(truth)))
    if truth.shape[2] == 4:
        error[:, :, :3] *= truth[:, :, 3:] / _white(truth)  # what nobody sees may be anything
    if lossless and _white(found) == _white(truth):
        assert error.max() <= 1e-9
    elif lossless:
        assert error.max() <= 0.51
    else:
        assert error.mean() <= source.far + FAR.get(target.name, 0.0)


def test_the_matrix_is_whole() -> None:
    """Every kind that is read is among the sources; what is not read is refused by name."""
    from edgesr.imaging.container import READ
    from edgesr.imaging.readers import _READERS

    assert {kind for kind in READ for name in SOURCES if name.startswith(f"{kind} ")} == set(READ)
    assert set(_READERS) == set(READ)
    for head, said in (
        (b"GIF89a", "GIF"), (b"8BPS", "PSD"), (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    ):  # fmt: skip
        with pytest.raises(ImageError, match=f"{said}.* pictures are not read, only PNG"):
            decode(head + bytes(80))


@pytest.mark.parametrize(("kind", "package"), [("avif", "PIL"), ("heic", "pi_heif")])
def test_a_missing_package_is_named(
    kind: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    source = SOURCES["AVIF 8 rgb" if kind == "avif" else "HEIC 10"]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImageError, match="which is not installed") as refused:
        decode(source.data)
    assert refused.value.fix == "pip install 'edgesr[formats]'"


def test_pixels_of_heic_are_not_the_librarys_memory() -> None:
    data = (Path(__file__).parents[1] / "data/pictures/turned.heic").read_bytes()
    pictures = [decode(data) for _ in range(20)]  # whose memory may lie where others' lay
    assert all(np.array_equal(picture.colour, pictures[0].colour) for picture in pictures)
    assert pictures[0].colour.base is None or pictures[0].colour.base.flags.owndata
