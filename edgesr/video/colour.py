"""From a codec's frame to a picture for the network, and back, in the frame's own colours.

YUV becomes RGB and RGB becomes YUV by the same matrix and range, the ones that the frame states.
Where it states none, players take BT.709 for high definition and BT.601 below; any one will do
here, because it is undone. Primaries and transfer are never converted.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgesr.imaging.picture import Picture

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.format import VideoFormat

_FULL, _LIMITED = 2, 1  # AVCOL_RANGE_JPEG, AVCOL_RANGE_MPEG
_UNSPECIFIED, _RGB = 2, 0  # AVCOL_SPC_*
# AVCOL_SPC_* (ITU-T H.273, table 4) -> SWS_CS_*; constant luminance (10) is taken as BT.2020
_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
_BT709, _BT601 = 1, 5
_HD_ROWS = 720
_EIGHT_BITS = 8


@dataclass(frozen=True)
class Colour:
    """How the values of a stream's frames are to be understood, as FFmpeg numbers it.

    Attributes:
        matrix: AVCOL_SPC_*, 2 where nothing is stated.
        range: AVCOL_RANGE_*, 0 where nothing is stated.
        primaries: AVCOL_PRI_*.
        transfer: AVCOL_TRC_*.
    """

    matrix: int
    range: int
    primaries: int
    transfer: int


def colour_of(frame: "VideoFrame") -> Colour:
    """Return what a frame states."""
    full = frame.format.name.startswith("yuvj")
    return Colour(
        int(frame.colorspace),
        _FULL if full else int(frame.color_range),
        int(frame.color_primaries),
        int(frame.color_trc),
    )


def bits_of(format: "VideoFormat") -> int:
    """Return the bits of a sample."""
    return max((component.bits for component in format.components), default=_EIGHT_BITS)


def has_alpha(format: "VideoFormat") -> bool:
    """Tell whether a pixel format has an alpha channel."""
    return any(component.is_alpha for component in format.components)


def is_grey(format: "VideoFormat") -> bool:
    """Tell whether a pixel format has no colour."""
    colours = [component for component in format.components if not component.is_alpha]
    return len(colours) == 1 and not format.has_palette


def to_picture(frame: "VideoFrame", kind: str, lossy: bool) -> Picture:
    """Return a frame as a picture of 8 bits, or of 16 where the codec has more than 8.

    Args:
        frame: as decoded.
        kind: the codec, for messages.
        lossy: whether that codec changes pixels.
    """
    deep = bits_of(frame.format) > _EIGHT_BITS
    opaque = not has_alpha(frame.format)
    name = {(0, 1): "rgb24", (0, 0): "rgba", (1, 1): "rgb48le", (1, 0): "rgba64le"}[deep, opaque]
    pixels = _converted(frame, name, colour_of(frame), frame.height).to_ndarray()
    return Picture(
        colour=np.ascontiguousarray(pixels[:, :, :3]),
        alpha=None if opaque else np.ascontiguousarray(pixels[:, :, 3]),
        grey=is_grey(frame.format),
        kind=kind,
        lossy=lossy,
    )


def to_frame(picture: Picture, pixel_format: str, colour: Colour, source_rows: int) -> "VideoFrame":
    """Return an enlarged picture as a frame for an encoder.

    Args:
        picture: enlarged.
        pixel_format: FFmpeg's name, such as `yuv420p10le`.
        colour: of the source.
        source_rows: height of the source's frames, which decides the matrix of undeclared ones.
    """
    from av import VideoFrame

    deep = picture.colour.dtype == np.uint16
    if picture.alpha is None:
        pixels = picture.colour
        name = "rgb48le" if deep else "rgb24"
    else:
        pixels = np.dstack([picture.colour, picture.alpha])
        name = "rgba64le" if deep else "rgba"
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), name)
    result = _converted(frame, pixel_format, colour, source_rows, back=True)
    result.colorspace, result.color_range = colour.matrix, colour.range
    result.color_primaries, result.color_trc = colour.primaries, colour.transfer
    return result


def _converted(
    frame: "VideoFrame", name: str, colour: Colour, source_rows: int, back: bool = False
) -> "VideoFrame":
    """Change the pixel format; on the way back the target is the one with matrix and range."""
    from av.video.reformatter import Interpolation, VideoReformatter

    high = source_rows >= _HD_ROWS
    matrix = _MATRICES.get(colour.matrix, _BT709 if high else _BT601)
    stored_range = colour.range or _LIMITED
    if (frame.format.is_rgb and not back) or (back and _is_rgb(name)):
        stored_range = _FULL
    ends = {"src": (matrix, stored_range), "dst": (_BT709, _FULL)}
    if back:
        ends = {"src": (_BT709, _FULL), "dst": (matrix, stored_range)}
    quality = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
    return VideoReformatter().reformat(
        frame,
        format=name,
        interpolation=quality | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP,
        src_colorspace=ends["src"][0],
        dst_colorspace=ends["dst"][0],
        src_color_range=ends["src"][1],
        dst_color_range=ends["dst"][1],
        threads=1,
    )


def _is_rgb(name: str) -> bool:
    from av import VideoFormat

    return VideoFormat(name).is_rgb
