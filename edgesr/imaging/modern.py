"""AVIF and HEIC, the pictures of newer phones, by Pillow, imagecodecs and pi-heif (`[formats]`).

Both are boxes of ISO/IEC 14496-12 around a frame of a video codec. The libraries read the boxes
without decoding; the size is checked in between.
"""

import io
import warnings
from functools import partial
from typing import Any

import numpy as np

from edgesr.errors import ImageError
from edgesr.imaging.container import Container
from edgesr.imaging.exif import for_new_size
from edgesr.imaging.jpeg import EXIF
from edgesr.imaging.layers import Layers
from edgesr.imaging.limits import check_size
from edgesr.imaging.metadata import MOST_BYTES, Metadata, xmp_for_new_size
from edgesr.imaging.png import DamagedError

EXTRA = "pip install 'edgesr[formats]'"
_HEAD = 1 << 16  # bytes in which the properties of the first picture lie
_TWELVE, _TEN = 0x20, 0x40  # flags of av1C
_PLAIN_PRIMARIES, _PLAIN_TRANSFER = (1, 2), (1, 2, 6, 13)  # sRGB and BT.709, or not said (H.273)


def read_avif(data: bytes) -> Container:
    """Read the boxes of an AVIF file.

    Raises:
        ImageError: Pillow with AVIF is not installed, or more pixels than the limit.
        DamagedError: a library refuses the file.
    """
    image = _open_avif(data)
    check_size("AVIF", *image.size)
    info = image.info
    depth = _avif_depth(data)
    frames = getattr(image, "n_frames", 1)
    icc = info.get("icc_profile")
    return Container(
        "AVIF",
        partial(_decode_avif, data, image.mode, depth),
        exif=_bounded(info.get("exif"), EXIF),
        icc=_bounded(icc),
        metadata=Metadata(
            # The turning is Pillow's to tell, by the EXIF data that it hands over.
            xmp=_upright_xmp(info.get("xmp"), image.size),
            colour=() if icc else _colour(*_nclx(data)),
        ),
        lossy=True,
        notes=_first_of(frames),
    )


def _open_avif(data: bytes) -> Any:
    try:
        from PIL import AvifImagePlugin, Image, features

        if not features.check("avif"):
            raise ImportError
    except ImportError:
        raise missing("AVIF", "Pillow 11.3") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of EXIF data, or a size: both are looked at here
            return AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    except (Image.DecompressionBombError, MemoryError):
        raise
    except Exception:  # whatever the library makes of a damaged file
        raise DamagedError from None


def _decode_avif(data: bytes, mode: str, depth: int) -> Layers:
    try:
        if depth == 8:
            with _open_avif(data) as image:
                pixels = np.asarray(image)
        else:
            import imagecodecs

            pixels = imagecodecs.avif_decode(data, index=0)
            if pixels.dtype == np.uint16:
                pixels = _sixteen(pixels, depth)
    except (MemoryError, ImageError):
        raise
    except Exception:
        raise DamagedError from None
    return _layers(pixels)


def _sixteen(pixels: Any, depth: int) -> Any:
    """Return samples of `depth` bits with white at 65535."""
    most = (1 << depth) - 1
    return np.rint(np.arange(most + 1) * (65535 / most)).astype(np.uint16)[pixels]


def _avif_depth(data: bytes) -> int:
    """Return the bits of a sample by the configuration of the codec (AV1-ISOBMFF, 2.3)."""
    at = data.find(b"av1C", 0, _HEAD)
    flags = data[at + 6] if at >= 0 and at + 6 < len(data) else 0
    return 8 if not flags & _TEN else 12 if flags & _TWELVE else 10


def _nclx(data: bytes) -> tuple[int, int]:
    """Return the code points of primaries and transfer function, 2 where they are not said."""
    at = data.find(b"colrnclx", 0, _HEAD)
    if at < 0 or at + 12 > len(data):
        return 2, 2
    return int.from_bytes(data[at + 8 : at + 10], "big"), int.from_bytes(
        data[at + 10 : at + 12], "big"
    )


def read_heic(data: bytes) -> Container:
    """Read the boxes of an HEIC file.

    Raises:
        ImageError: pi-heif is not installed, or more pixels than the limit.
        DamagedError: the library refuses the file.
    """
    file = _open_heic(data)
    image = file[file.primary_index]
    check_size("HEIC", *image.size)
    info = image.info
    exif = _bounded(info.get("exif"), EXIF)
    icc = info.get("icc_profile")
    nclx = info.get("nclx_profile") or {}
    code = int(nclx.get("color_primaries", 2)), int(nclx.get("transfer_characteristics", 2))
    others = len(file) - 1
    return Container(
        "HEIC",
        partial(_decode_heic, data),
        # The decoder turns the picture as the boxes say, which replaces what the EXIF data says.
        exif=None if exif is None else for_new_size(exif, *image.size),
        icc=_bounded(icc),
        metadata=Metadata(
            xmp=_upright_xmp(info.get("xmp"), image.size), colour=() if icc else _colour(*code)
        ),
        lossy=True,
        notes=() if not others else (f"only the main one of its {others + 1} pictures was taken",),
    )


def _open_heic(data: bytes) -> Any:
    try:
        import pi_heif
    except ImportError:
        raise missing("HEIC", "pi-heif") from None
    try:
        return pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    except MemoryError:
        raise
    except Exception:
        raise DamagedError from None


def _decode_heic(data: bytes) -> Layers:
    file = _open_heic(data)
    try:
        image = file[file.primary_index]
        pixels = np.array(image)  # a copy: the library's memory goes with `file`
        if pixels.dtype == np.uint16:  # its bits stand at the upper end of 16
            pixels = _sixteen(pixels >> (16 - image.info["bit_depth"]), image.info["bit_depth"])
    except MemoryError:
        raise
    except Exception:
        raise DamagedError from None
    return _layers(pixels)


def _layers(pixels: Any) -> Layers:
    """Take apart grey, grey and alpha, RGB, or RGBA pixels."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    channels = pixels.shape[2]
    colour = pixels[:, :, :3] if channels > 2 else np.repeat(pixels[:, :, :1], 3, axis=2)
    alpha = np.ascontiguousarray(pixels[:, :, -1]) if channels in (2, 4) else None
    return Layers(np.ascontiguousarray(colour), alpha, grey=channels < 3)


def _colour(primaries: int, transfer: int) -> tuple[bytes, ...]:
    """Return a PNG chunk that says in which colours the values are, none for those of sRGB."""
    if primaries in _PLAIN_PRIMARIES and transfer in _PLAIN_TRANSFER:
        return ()
    return (b"cICP" + bytes([primaries & 0xFF, transfer & 0xFF, 0, 1]),)


def _upright_xmp(xmp: bytes | None, size: tuple[int, int]) -> bytes | None:
    block = _bounded(xmp)
    return None if block is None else xmp_for_new_size(block, *size)


def _bounded(block: bytes | None, prefix: bytes = b"") -> bytes | None:
    return None if not block or len(block) > MOST_BYTES else bytes(block).removeprefix(prefix)


def _first_of(frames: int) -> tuple[str, ...]:
    return () if frames < 2 else (f"only the first of its {frames} frames was taken",)


def missing(kind: str, package: str) -> ImageError:
    """Return the error of a kind of picture whose package is not installed."""
    return ImageError(f"{kind} pictures need {package}, which is not installed", fix=EXTRA)
