"""JPEG XL files, written by the libjxl inside imagecodecs: jxl/encode.h."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import ImageError
from edgesr.imaging.jxl_boxes import EXIF, XMP
from edgesr.imaging.libjxl import (
    KIND,
    SUCCESS,
    UINT8,
    UINT16,
    BasicInfo,
    ColourEncoding,
    PixelFormat,
    libjxl,
)

LOSSLESS = 100
"""The quality at which every sample comes back as it was."""

_EFFORT, _EFFORT_OPTION = 5, 0  # 7, libjxl's own choice, takes three times as long
_NEED_MORE_OUTPUT, _OUTPUT_BYTES = 2, 1 << 20


def encode_jxl(
    pixels: NDArray[Any], icc: bytes | None, exif: bytes | None, xmp: bytes | None, quality: int
) -> bytes:
    """Return a JPEG XL file.

    Args:
        pixels: (height, width) grey, or (height, width, 3 or 4) RGB and alpha, uint8 or uint16.
        icc: profile of the values, None: sRGB.
        exif: EXIF block, starting with its TIFF header.
        xmp: XMP packet.
        quality: 1 to 100; 100 keeps every sample.

    Raises:
        ImageError: imagecodecs here has no libjxl, or it refuses the picture.
    """
    library, grey = libjxl(), pixels.ndim == 2
    pixels = np.ascontiguousarray(pixels)
    channels = 1 if grey else pixels.shape[2]
    with _encoder() as encoder:
        info = BasicInfo()
        library.JxlEncoderInitBasicInfo(ctypes.byref(info))
        info.ysize, info.xsize = pixels.shape[:2]
        info.bits = pixels.dtype.itemsize * 8
        info.colour_channels = 1 if grey else 3
        info.extra_channels = channels - info.colour_channels
        info.alpha_bits = info.bits * info.extra_channels
        info.uses_original_profile = quality == LOSSLESS
        _check(library.JxlEncoderUseContainer(encoder, True))
        _check(library.JxlEncoderSetBasicInfo(encoder, ctypes.byref(info)))
        if icc is None:
            srgb = ColourEncoding()
            library.JxlColorEncodingSetToSRGB(ctypes.byref(srgb), grey)
            _check(library.JxlEncoderSetColorEncoding(encoder, ctypes.byref(srgb)))
        else:
            _check(library.JxlEncoderSetICCProfile(encoder, icc, len(icc)))
        _check(library.JxlEncoderUseBoxes(encoder))
        boxes = ((EXIF, None if exif is None else bytes(4) + exif), (XMP, xmp))
        for name, content in boxes:
            if content is not None:
                _check(library.JxlEncoderAddBox(encoder, name, content, len(content), False))
        settings = library.JxlEncoderFrameSettingsCreate(encoder, None)
        _check(library.JxlEncoderFrameSettingsSetOption(settings, _EFFORT_OPTION, _EFFORT))
        if quality == LOSSLESS:
            _check(library.JxlEncoderSetFrameLossless(settings, True))
        else:
            distance = library.JxlEncoderDistanceFromQuality(quality)
            _check(library.JxlEncoderSetFrameDistance(settings, distance))
        layout = PixelFormat(channels, UINT8 if info.bits == 8 else UINT16, 0, 0)
        _check(
            library.JxlEncoderAddImageFrame(
                settings, ctypes.byref(layout), pixels.ctypes.data, pixels.nbytes
            )
        )
        library.JxlEncoderCloseInput(encoder)
        return b"".join(_output(library, encoder))


@contextmanager
def _encoder() -> Iterator[int]:
    library = libjxl()
    encoder = library.JxlEncoderCreate(None)
    if not encoder:
        raise MemoryError
    try:
        yield encoder
    finally:
        library.JxlEncoderDestroy(encoder)


def _check(status: int) -> None:
    if status != SUCCESS:
        raise ImageError(f"libjxl cannot write it as {KIND}", fix="--format png")


def _output(library: ctypes.CDLL, encoder: int) -> Iterator[bytes]:
    buffer = ctypes.create_string_buffer(_OUTPUT_BYTES)
    status = _NEED_MORE_OUTPUT
    while status == _NEED_MORE_OUTPUT:
        end, room = ctypes.c_void_p(ctypes.addressof(buffer)), ctypes.c_size_t(_OUTPUT_BYTES)
        status = library.JxlEncoderProcessOutput(encoder, ctypes.byref(end), ctypes.byref(room))
        yield buffer.raw[: _OUTPUT_BYTES - room.value]
    _check(status)
