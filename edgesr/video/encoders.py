"""Which encoder and which pixel format an enlarged clip gets.

A clip keeps its codec where PyAV's wheels can encode it, and else becomes H.264, or VP9 in WebM.
Of the encoder's pixel formats the one is taken that loses least of the source's.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from edgesr.errors import ConfigError, ImageError
from edgesr.video.colour import bits_of, has_alpha, is_grey

if TYPE_CHECKING:
    from av.video.format import VideoFormat


@dataclass(frozen=True)
class Encoder:
    """One of FFmpeg's encoders.

    Attributes:
        name: FFmpeg's name of it.
        codec: FFmpeg's name of what it writes, which sources state too.
        longest_side: that it encodes, in pixels.
        alpha: whether its alpha channel is one that others read.
        aspect: whether the shape of a pixel stands in what it writes.
        options: that bound its memory and make two runs give the same bytes.
        quality: option that a quality from 1 to 100 sets, and the range of its values: those for
            1 and for 100; None: it has none.
    """

    name: str
    codec: str
    longest_side: int
    alpha: bool = False
    aspect: bool = True
    options: tuple[tuple[str, str], ...] = ()
    quality: tuple[str, int, int] | None = None


# A few frames of lookahead: forty, as is usual, would be gigabytes of an enlarged film.
_X264 = (("preset", "fast"), ("rc-lookahead", "10"), ("sync-lookahead", "0"))
_X265 = (
    ("preset", "fast"),
    ("x265-params", "log-level=error:pools=2:frame-threads=1:rc-lookahead=10"),
)
_VP9 = (("b", "0"), ("cpu-used", "4"), ("deadline", "good"), ("lag-in-frames", "10"))
_AV1 = (("preset", "8"), ("svtav1-params", "lp=2:lookahead=10"))

ENCODERS = (
    Encoder("libx264", "h264", 16_384, options=_X264, quality=("crf", 51, 12)),
    Encoder("libx265", "hevc", 16_384, options=_X265, quality=("crf", 51, 12)),
    Encoder("libvpx-vp9", "vp9", 65_535, aspect=False, options=_VP9, quality=("crf", 63, 15)),
    Encoder("libsvtav1", "av1", 16_384, aspect=False, options=_AV1, quality=("crf", 63, 15)),
    Encoder("ffv1", "ffv1", 65_535, alpha=True, options=(("level", "3"), ("slicecrc", "1"))),
)
"""Every encoder that is used."""

LOSSLESS = ("ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "v210", "png", "qtrle", "magicyuv")
"""Codecs of sources whose pixels are as they were before, by FFmpeg's names."""

DEFAULT, DEFAULT_WEBM = "h264", "vp9"


def is_lossy(codec: str) -> bool:
    """Tell whether a source's codec has changed its pixels, as nearly all do."""
    return codec not in LOSSLESS


def held_by(format_name: str) -> set[str]:
    """Return the codecs that a container holds, by FFmpeg's names."""
    import av

    with av.open(io.BytesIO(), "w", format=format_name) as container:
        return set(container.supported_codecs)


def encoder_for(codec: str, format_name: str, held: Iterable[str]) -> Encoder:
    """Return the encoder of a result.

    Args:
        codec: of the source.
        format_name: FFmpeg's name of the result's container.
        held: codecs that the container holds.

    Raises:
        ConfigError: the container holds nothing that is encoded here.
    """
    by_codec = {encoder.codec: encoder for encoder in ENCODERS}
    default = DEFAULT_WEBM if format_name == "webm" else DEFAULT
    wanted = "ffv1" if codec in LOSSLESS else codec
    possible = set(held)
    for name in (wanted, default, *by_codec):
        if name in by_codec and name in possible:
            return by_codec[name]
    raise ConfigError(f"no video is written into {format_name}", where="-o", fix="-o RESULT.mkv")


def check_sides(encoder: Encoder, width: int, height: int) -> None:
    """Refuse a result that is larger than its codec holds.

    Raises:
        ImageError: it is.
    """
    if max(width, height) > encoder.longest_side:
        raise ImageError(
            f"the result would be {width}x{height}; {encoder.codec} ends at "
            f"{encoder.longest_side} pixels a side",
            fix="a smaller --scale",
        )


def pixel_format(encoder: Encoder, source: "VideoFormat", width: int, height: int) -> str:
    """Return the pixel format of an encoder that loses least of a source's.

    Args:
        encoder: of the result.
        source: pixel format of the source.
        width: of the result; where odd, a format that halves colour's width does not do.
        height: of the result, likewise.
    """
    from av.codec import Codec

    def cost(candidate: "VideoFormat") -> tuple[int, ...]:
        need, have = _subsampling(source), _subsampling(candidate)
        return (
            int(width % have[0] != 0 or height % have[1] != 0),
            int(has_alpha(source) and not has_alpha(candidate)),
            max(bits_of(source) - bits_of(candidate), 0),
            int(not is_grey(source) and is_grey(candidate)),
            max(have[0] - need[0], 0) + max(have[1] - need[1], 0),
            int(source.is_rgb != candidate.is_rgb),
            int(candidate.name.startswith(("yuvj", "nv"))),
            int(is_grey(source) and not is_grey(candidate)),
            max(need[0] - have[0], 0) + max(need[1] - have[1], 0),
            max(bits_of(candidate) - bits_of(source), 0),
            int(has_alpha(candidate) and not has_alpha(source)),
        )

    known = Codec(encoder.name, "w").video_formats or []
    offered = [format for format in known if encoder.alpha or not has_alpha(format)]
    return min(offered, key=lambda candidate: (cost(candidate), candidate.name)).name


def losses(
    codec: str, source: "VideoFormat", result: "VideoFormat", encoder: Encoder
) -> tuple[str, ...]:
    """Return what a result does not keep of its source's frames, one sentence each.

    Args:
        codec: of the source.
        source: pixel format of the source.
        result: pixel format of the result.
        encoder: of the result.
    """
    notes = []
    if codec not in (encoder.codec, *LOSSLESS):
        notes.append(f"{codec} is not written here; the result is {encoder.codec}")
    if has_alpha(source) and not has_alpha(result):
        notes.append(f"the alpha channel could not be kept: {encoder.name} has none")
    if bits_of(source) > bits_of(result):
        notes.append(
            f"{encoder.name} holds {bits_of(result)} bits a sample; the clip had {bits_of(source)}"
        )
    return tuple(notes)


def shape_lost(encoder: Encoder, format_name: str, aspect: Fraction | None) -> tuple[str, ...]:
    """Return the note that pixels will be shown square, where PyAV writes their shape nowhere.

    Args:
        encoder: of the result.
        format_name: FFmpeg's name of its container; MP4 and MOV have a place of their own for it.
        aspect: width of a pixel over its height.
    """
    if aspect in (None, 1) or encoder.aspect or format_name in ("mp4", "mov"):
        return ()
    return (f"pixels of {aspect} could not be kept in {format_name}; they are shown square",)


def quality_options(encoder: Encoder, quality: int) -> dict[str, str]:
    """Return the encoder's options for a quality from 1 to 100."""
    options = dict(encoder.options)
    if encoder.quality is not None:
        name, worst, best = encoder.quality
        options[name] = str(round(worst + (quality - 1) * (best - worst) / 99))
    return options


def _subsampling(format: "VideoFormat") -> tuple[int, int]:
    """Return how many pixels across and down share one colour sample."""
    if format.is_rgb or is_grey(format) or len(format.components) < 3:
        return 1, 1
    side = 64
    return side // format.chroma_width(side), side // format.chroma_height(side)
