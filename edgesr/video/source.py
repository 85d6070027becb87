"""A clip as PyAV reads it: checked once from end to end, then decoded frame by frame."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from edgesr.errors import ImageError, shell
from edgesr.files import open_regular
from edgesr.imaging.limits import check_size
from edgesr.imaging.picture import reading

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer
    from av.stream import Stream

ENCRYPTED_TAGS = ("encv", "enca", "drmi", "drms", "drmt")
"""Sample entries of MP4 files whose content is encrypted (ISO/IEC 14496-12, 8.12; iTunes)."""

_MAY_MISS_S, _MAY_MISS_SHARE = 1.0, 0.02  # of what a Matroska header promises; it is rounded


@dataclass(frozen=True)
class Facts:
    """What a clip holds, from one pass over its packets.

    Attributes:
        width: of a frame as stored, in pixels.
        height: of a frame as stored, in pixels.
        packets: of the video stream.
        duration_by_pts: ticks that a frame is shown, by its time stamp.
        time_base: seconds a tick.
        codec: FFmpeg's name of the video stream's, such as `h264`.
    """

    width: int
    height: int
    packets: int
    duration_by_pts: dict[int, int]
    time_base: Fraction
    codec: str


_CONTAINERS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,"
    "ogg,yuv4mpegpipe,mxf,nut,h264,hevc,m4v,dv"
}
"""FFmpeg's names of what a clip of `edgesr.video.kinds.CLIPS` may be: nothing that reads a list of
other files, as concat and hls do, whatever the file is called."""


@contextmanager
def opened(path: Path) -> "Iterator[InputContainer]":
    """Open a clip for reading.

    Raises:
        ImageError: missing, empty, a folder, a pipe, or nothing that FFmpeg knows.
    """
    import av

    with reading(path), open_regular(path) as file:
        if not file.read(1):
            raise ImageError("the file is empty")
    try:
        container = av.open(
            f"file:{path}", metadata_errors="replace", container_options=_CONTAINERS
        )
    except (av.FFmpegError, ValueError) as error:
        raise ImageError(
            f"no clip, damaged or cut short ({reason(error)})", where=path, fix=_look(path)
        ) from error
    with container:
        yield container


def reason(error: BaseException) -> str:
    """Return FFmpeg's own words for what went wrong, without the place."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _look(path: Path) -> str:
    return f"ffprobe {shell(path)}"


def video_stream(container: "InputContainer", path: Path) -> "VideoStream":
    """Return the stream that is enlarged: the first one that moves.

    Raises:
        ImageError: there is none, it is encrypted, or FFmpeg has no decoder for it.
    """
    from av.stream import Disposition

    moving = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    for stream in (*container.streams.video, *container.streams.audio):
        if stream.codec_context is not None and stream.codec_context.codec_tag in ENCRYPTED_TAGS:
            raise ImageError("it is encrypted (DRM) and cannot be read", where=path)
    if not moving:
        raise ImageError("no video stream in it", where=path, fix=_look(path))
    stream = moving[0]
    if stream.codec_context is None:
        raise ImageError("no decoder for its video stream", where=path, fix=_look(path))
    check_size(codec_name(stream), stream.width, stream.height)
    return stream


def examine(path: Path) -> Facts:
    """Read all packets of a clip, without decoding them.

    Raises:
        ImageError: no video in it, no frames, cut short, encrypted, or larger than the limit.
    """
    with opened(path) as container:
        try:
            stream = video_stream(container, path)
        except ImageError as error:
            raise error.at(path) from error
        durations: dict[int, int] = {}
        count = 0
        ends: list[float] = [0.0]
        for packet in demuxed(container, list(container.streams), path):
            if packet.stream is stream:
                count += 1
                if packet.has_sidedata("encryption_info"):
                    raise ImageError("it is encrypted (DRM) and cannot be read", where=path)
                if packet.pts is not None and packet.duration:
                    durations[packet.pts] = packet.duration
            if packet.pts is not None:
                ends.append(float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if count == 0:
            raise ImageError("its video stream has no frames", where=path, fix=_look(path))
        _check_whole(container, stream, count, max(ends), path)
        return Facts(
            stream.width,
            stream.height,
            count,
            durations,
            stream.time_base or Fraction(1, 90_000),
            codec_name(stream),
        )


def codec_name(stream: "Stream") -> str:
    """Return FFmpeg's name of a stream's codec, whichever decoder reads it."""
    return stream.codec_context.codec.canonical_name


def _check_whole(
    container: "InputContainer", stream: "VideoStream", count: int, end_s: float, path: Path
) -> None:
    """Compare what was read with what the file's head promises.

    Raises:
        ImageError: much of it is missing.
    """
    name = container.format.name
    if "mp4" in name and stream.frames > count:
        raise ImageError(
            f"the file is cut short: {count} of its {stream.frames} frames are there", where=path
        )
    if "matroska" in name and container.duration:
        start_s = max(container.start_time or 0, 0) / 1e6
        promised_s = container.duration / 1e6
        missing_s = promised_s - (end_s - start_s)
        if missing_s > max(_MAY_MISS_S, _MAY_MISS_SHARE * promised_s):
            raise ImageError(
                f"the file is cut short: it ends after {end_s - start_s:.1f} of its "
                f"{promised_s:.1f} s",
                where=path,
            )


def demuxed(
    container: "InputContainer", streams: "list[Stream]", path: Path
) -> "Iterator[Packet[Stream]]":
    """Yield the packets of some streams in the order of the file, without the empty last ones.

    Raises:
        ImageError: the file cannot be read to its end.
    """
    import av

    try:
        for packet in container.demux(streams):
            if packet.size or packet.pts is not None:
                yield packet
    except av.FFmpegError as error:
        raise ImageError(f"damaged or cut short ({reason(error)})", where=path) from error


def frames(path: Path) -> "Generator[VideoFrame, None, None]":
    """Yield the frames of a clip in the order in which they are shown, one in memory at a time.

    Every frame has a time stamp, later than the one before it.

    Raises:
        ImageError: a frame cannot be decoded in full, or frames are of several sizes.
    """
    import av

    with opened(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        stream.codec_context.options = {"err_detect": "explode"}
        number, last = 0, None
        step = _ticks_a_frame(stream)
        try:
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise ImageError(f"frame {number + 1} is damaged", where=path)
                if (frame.width, frame.height) != (stream.width, stream.height) and number:
                    raise ImageError(
                        f"its frames are of several sizes: frame {number + 1} has "
                        f"{frame.width}x{frame.height}",
                        where=path,
                        fix=f"ffmpeg -i {shell(path)} -vf scale={stream.width}:{stream.height} OUT",
                    )
                if frame.pts is None:
                    frame.pts = 0 if last is None else last + step
                elif last is not None and frame.pts <= last:
                    frame.pts = last + 1
                last = frame.pts
                number += 1
                yield frame
        except av.FFmpegError as error:
            raise ImageError(
                f"damaged or cut short: frame {number + 1} cannot be decoded ({reason(error)})",
                where=path,
            ) from error
        if number == 0:
            raise ImageError("its video stream has no frames that can be shown", where=path)


def _ticks_a_frame(stream: "VideoStream") -> int:
    rate, time_base = stream.average_rate, stream.time_base
    return max(round(1 / (rate * time_base)), 1) if rate and time_base else 1
