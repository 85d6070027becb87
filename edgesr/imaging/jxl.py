"""JPEG XL files: size and profile before a pixel is decoded, EXIF and XMP data from their boxes."""

from functools import partial

import numpy as np

from edgesr.errors import ImageError
from edgesr.imaging.cmyk import is_cmyk
from edgesr.imaging.container import Container
from edgesr.imaging.exif import for_new_size
from edgesr.imaging.jxl_boxes import EXIF, OF_A_JPEG, XMP, read_boxes, tiff_of
from edgesr.imaging.jxl_decoder import HEADER_BYTES, Decoder
from edgesr.imaging.layers import Layers
from edgesr.imaging.libjxl import KIND, BasicInfo
from edgesr.imaging.limits import check_size
from edgesr.imaging.metadata import Metadata, xmp_for_new_size

_MOST_EXTRA = 8  # channels beside the colours, each as large as the picture
_BYTES_PER_SAMPLE = 24  # libjxl takes 5 for a plain picture, more for one that comes in passes


def read_jxl(data: bytes) -> Container:
    """Read the headers and boxes of a JPEG XL file.

    Raises:
        ImageError: imagecodecs here has no libjxl, more pixels or channels than are read, or
            CMYK colours.
        DamagedError: libjxl refuses the file.
    """
    with Decoder(data) as decoder:
        info = decoder.info()
        check_size(KIND, info.xsize, info.ysize)
        icc, notes = decoder.colours(info)
    if is_cmyk(icc):
        raise ImageError(f"{KIND} pictures of CMYK colours are not read", fix="convert it to RGB")
    if info.extra_channels > _MOST_EXTRA:
        raise ImageError(
            f"the {KIND} picture has {info.extra_channels} channels beside its colours; "
            f"{_MOST_EXTRA} are read at most"
        )
    boxes, lost = read_boxes(data)
    exif = tiff_of(boxes.get(EXIF, b""))
    xmp, size = boxes.get(XMP), (info.xsize, info.ysize)
    return Container(
        KIND,
        partial(_decode, data, info),
        # The decoder turns the picture as its header says, whatever EXIF and XMP data say.
        exif=None if exif is None else for_new_size(exif, *size),
        icc=icc,
        metadata=Metadata(xmp=None if xmp is None else xmp_for_new_size(xmp, *size)),
        lossy=not info.uses_original_profile or OF_A_JPEG in boxes,
        notes=(*notes, *lost, *_notes(info)),
    )


def _notes(info: BasicInfo) -> list[str]:
    notes = []
    if info.have_animation:
        notes.append("only the first frame of its animation was taken")
    others = info.extra_channels - (info.alpha_bits > 0)
    if others:
        notes.append(f"{others} further channels beside colour and alpha were left out")
    if info.exponent_bits or info.bits > 16:
        kind = "float" if info.exponent_bits else "whole"
        notes.append(f"its {info.bits} bit {kind} values became 16 bits: 0 black, 1 white")
    return notes


def _decode(data: bytes, info: BasicInfo) -> Layers:
    samples = info.xsize * info.ysize * (info.colour_channels + info.extra_channels)
    with Decoder(data, HEADER_BYTES + _BYTES_PER_SAMPLE * samples) as decoder:
        decoder.info()
        decoder.colours(info)
        pixels = decoder.pixels(info)
    colours = info.colour_channels
    colour = np.repeat(pixels, 3, axis=2) if colours == 1 else pixels
    alpha = np.ascontiguousarray(pixels[:, :, colours]) if info.alpha_bits else None
    return Layers(np.ascontiguousarray(colour[:, :, :3]), alpha, grey=colours == 1)
