"""Segments and everything else of the source become one file, in which every packet has its time.

Audio, subtitles and cover pictures are the source's own packets. Time stamps of the video are those
of the source's frames. The times at which packets are to be decoded are made anew for the whole:
the i-th packet's is the time stamp that comes i-th when sorted, as much earlier as the encoder's
reordering needs.
"""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesr.errors import ImageError
from edgesr.video.encode import CONTAINER, Encoding, shift
from edgesr.video.others import add_others
from edgesr.video.source import Facts, demuxed, opened, reason, video_stream

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

    from edgesr.video.segments import Segments

_APPLE_TAGS = {"hevc": "hvc1"}  # the tag that Apple's players want of the two that MP4 has
_TAGGED = ("mp4", "mov", "ipod")
_OPTIONS = {"fflags": "+bitexact"}  # no time of day and no random numbers: two runs are equal


@dataclass(frozen=True)
class Joining:
    """What the result is made of.

    Attributes:
        source: the clip.
        facts: of the clip.
        encoding: of the segments.
        matrix: display matrix of the source's frames, nine numbers as FFmpeg has them; None:
            they are shown as they are stored.
        format: FFmpeg's name of the result's container.
    """

    source: Path
    facts: Facts
    encoding: Encoding
    matrix: tuple[int, ...] | None
    format: str


def join_parts(segments: "Segments", joining: Joining, target: Path) -> None:
    """Write the result.

    Args:
        segments: all of them are there.
        joining: what it is made of.
        target: to write to; of a file that is not in its place yet.

    Raises:
        ImageError: the container does not take a stream.
        OSError: it cannot be written.
    """
    import av

    paths = [segments.path(number) for number in range(segments.done)]
    clock = _Clock(paths, joining)
    try:
        with ExitStack() as stack:
            source = stack.enter_context(opened(joining.source))
            first = stack.enter_context(av.open(str(paths[0]), format=CONTAINER))
            result = stack.enter_context(
                av.open(str(target), "w", format=joining.format, options=_OPTIONS)
            )
            video = _add_video(result, first, source, joining)
            moved = video_stream(source, joining.source)
            others = add_others(result, source, moved)
            result.metadata.update(_kept(source.metadata))
            result.set_chapters(source.chapters())
            result.start_encoding()
            packets = heapq.merge(
                clock.packets(paths, video),
                _copied(source, others, joining.source),
                key=_time,
            )
            for packet in packets:
                result.mux(packet)
    except OSError:
        raise
    except (av.FFmpegError, ValueError) as error:
        raise ImageError(
            f"{joining.format} does not hold its streams ({reason(error)})",
            where=joining.source,
            fix="-o RESULT.mkv",
        ) from error


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    """Return the tags that are about the content, not about the file they stood in."""
    about_the_file = ("major_brand", "minor_version", "compatible_brands", "encoder")
    return {key: value for key, value in metadata.items() if key.lower() not in about_the_file}


def _add_video(
    result: "OutputContainer", first: "InputContainer", source: "InputContainer", joining: Joining
) -> "Stream":
    """Add the video stream; what it is comes from the first segment, how it is shown from us."""
    template = first.streams.video[0]
    moved = video_stream(source, joining.source)
    stream = result.add_stream_from_template(template, opaque=True)
    encoding = joining.encoding
    context = stream.codec_context
    context.color_range, context.colorspace = encoding.colour.range, encoding.colour.matrix
    context.color_primaries = encoding.colour.primaries
    context.color_trc = encoding.colour.transfer
    if encoding.aspect is not None:
        context.sample_aspect_ratio = encoding.aspect
        stream.sample_aspect_ratio = encoding.aspect
    codec = template.codec_context.codec.canonical_name
    if joining.format in _TAGGED and codec in _APPLE_TAGS:
        context.codec_tag = _APPLE_TAGS[codec]
    stream.time_base = encoding.time_base
    if joining.matrix is not None:
        stream.set_display_matrix(joining.matrix)
    stream.metadata.update(_kept(moved.metadata))
    stream.disposition = moved.disposition
    return stream


class _Clock:
    """The time stamps of all segments, and when each packet is to be decoded.

    Holds two whole numbers a frame: 16 MB for an hour of film at 60 frames a second.
    """

    def __init__(self, paths: list[Path], joining: Joining) -> None:
        self._time_base = joining.encoding.time_base
        self._durations = joining.facts.duration_by_pts
        self._shift = shift(self._time_base)
        stamps = [self._pts(packet) for path in paths for packet in _packets(path)]
        self._sorted = sorted(stamps)
        # The i-th packet must be decoded before the frame with its own time stamp is shown.
        rank = {pts: number for number, pts in enumerate(self._sorted)}
        self._delay = max(number - rank[pts] for number, pts in enumerate(stamps))

    def _pts(self, packet: "Packet[Any]") -> int:
        return round((packet.pts or 0) * packet.time_base / self._time_base) - self._shift

    def _dts(self, number: int) -> int:
        """Return the time at which the packet `number` is decoded, in ticks."""
        early = number - self._delay
        if early >= 0:
            return self._sorted[early]
        return self._sorted[0] + early * self._step()

    def _step(self) -> int:
        """Return the first frame's duration, in ticks."""
        both = self._sorted[:2]
        return both[1] - both[0] if len(both) > 1 else 1

    def packets(self, paths: list[Path], stream: "Stream") -> "Iterator[Packet[Any]]":
        """Yield the packets of all segments in the order in which they are decoded."""
        number = 0
        for path in paths:
            for packet in _packets(path):
                pts = self._pts(packet)
                packet.stream = stream
                packet.time_base = self._time_base
                packet.pts, packet.dts = pts, self._dts(number)
                packet.duration = self._durations.get(pts, 0)
                number += 1
                yield packet


def _packets(path: Path) -> "Iterator[Packet[Any]]":
    import av

    with av.open(str(path), format=CONTAINER) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.size:
                yield packet


def _copied(
    source: "InputContainer", others: "dict[int, Stream]", path: Path
) -> "Iterator[Packet[Any]]":
    """Yield the packets of the streams that are copied, for the result's streams."""
    if not others:
        return
    streams = [source.streams[index] for index in others]
    for packet in demuxed(source, streams, path):
        stream = others[packet.stream_index]
        if packet.dts is None and packet.pts is None:
            continue
        packet.stream = stream
        yield packet


def _time(packet: "Packet[Any]") -> Fraction:
    """Return when a packet is decoded, in seconds."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return (ticks or 0) * packet.time_base
