"""One segment: enlarged frames in, a file of their packets out."""

import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from edgesr.errors import ImageError
from edgesr.files import atomic_path
from edgesr.video.colour import Colour
from edgesr.video.source import reason

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import OutputContainer

THREADS = 2
"""Of an encoder. The bytes of some depend on it, so it is the same on every machine."""

CONTAINER = "nut"
"""Format of a segment: the one that takes any codec and any time base."""

SHIFT_S = 60
"""Seconds by which time stamps in a segment are later: NUT has none below zero, and an encoder
that reorders frames begins before the first. Whole seconds are whole ticks of any time base that
divides one; `shift` says what they are of others."""


@dataclass(frozen=True)
class Encoding:
    """How the frames of a run are encoded.

    Attributes:
        encoder: FFmpeg's name.
        pixel_format: FFmpeg's name.
        width: of a frame, in pixels.
        height: of a frame, in pixels.
        time_base: seconds a tick of the time stamps.
        rate: frames a second on average, for the rate control.
        aspect: width of a pixel over its height; None: not stated.
        colour: that the stream states.
        options: of the encoder.
    """

    encoder: str
    pixel_format: str
    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    aspect: Fraction | None
    colour: Colour
    options: tuple[tuple[str, str], ...]


def shift(time_base: Fraction) -> int:
    """Return `SHIFT_S` in ticks."""
    return round(SHIFT_S / time_base)


def check_opens(encoding: Encoding) -> None:
    """Open the encoder once, before the work.

    Raises:
        ImageError: it does not take such frames.
    """
    import av

    with av.open(io.BytesIO(), "w", format=CONTAINER) as container:
        _add_stream(container, encoding)
        try:
            container.start_encoding()
        except (av.FFmpegError, ValueError) as error:
            raise _refusal(encoding, error) from error


def write_segment(path: Path, encoding: Encoding, frames: "Iterable[VideoFrame]") -> None:
    """Encode frames into a file that needs no other to be decoded.

    Args:
        path: of the segment; there whole or not at all.
        encoding: the same for all segments.
        frames: with their time stamps, in ticks of the encoding's time base.

    Raises:
        ImageError: the encoder fails.
        EdgesrError: the file cannot be written; the disk is full, say.
    """
    import av

    with atomic_path(path) as temporary:
        try:
            with av.open(str(temporary), "w", format=CONTAINER) as container:
                stream = _add_stream(container, encoding)
                for frame in frames:
                    frame.pts = (frame.pts or 0) + shift(encoding.time_base)
                    frame.time_base = encoding.time_base
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
        except OSError:
            raise
        except (av.FFmpegError, ValueError) as error:
            raise _refusal(encoding, error) from error


def _add_stream(container: "OutputContainer", encoding: Encoding) -> "VideoStream":
    """Add the stream that encodes; it opens its encoder with the first frame."""
    from av import VideoStream

    os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 knows no other way not to print its settings
    stream = container.add_stream(encoding.encoder, options=dict(encoding.options))
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    context.width, context.height = encoding.width, encoding.height
    context.pix_fmt = encoding.pixel_format
    context.time_base = encoding.time_base
    context.framerate = encoding.rate
    context.thread_count = THREADS
    if encoding.aspect is not None:
        context.sample_aspect_ratio = encoding.aspect
    context.color_range = encoding.colour.range
    context.colorspace = encoding.colour.matrix
    context.color_primaries = encoding.colour.primaries
    context.color_trc = encoding.colour.transfer
    return stream


def _refusal(encoding: Encoding, error: Exception) -> ImageError:
    return ImageError(
        f"{encoding.encoder} does not encode {encoding.width}x{encoding.height} "
        f"{encoding.pixel_format} ({reason(error)})",
        fix="-o RESULT.mkv, or a smaller --scale",
    )
