"""A clip through a network: examined, enlarged segment by segment, joined."""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgesr.errors import ImageError
from edgesr.files import atomic_path, make_folder
from edgesr.imaging.tiling import TilePlan
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.session import Session
from edgesr.runtime.sessions import Opened, Sessions
from edgesr.runtime.upscale import plan_for
from edgesr.version import __version__
from edgesr.video.colour import colour_of, to_frame, to_picture
from edgesr.video.encode import Encoding, check_opens, write_segment
from edgesr.video.encoders import (
    Encoder,
    check_sides,
    encoder_for,
    held_by,
    is_lossy,
    losses,
    pixel_format,
    quality_options,
    shape_lost,
)
from edgesr.video.join import Joining, join_parts
from edgesr.video.kinds import FORMATS, Moving
from edgesr.video.others import check_holds, dropped
from edgesr.video.pace import ProgressPace
from edgesr.video.result import MovingResult, MovingSettings, OnFrame
from edgesr.video.segments import SEGMENT_FRAMES, Segments, open_segments
from edgesr.video.source import Facts, examine, frames, opened, video_stream

if TYPE_CHECKING:
    from av import VideoFrame

_ANY_RATE = Fraction(25)
_TRIAL_SIDE = 16  # of a tile, where the network takes any
_LOST = {
    "MASTERING_DISPLAY_METADATA": "the mastering display of HDR",
    "CONTENT_LIGHT_LEVEL": "the light level of HDR",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
    "A53_CC": "closed captions within the video",
    "STEREO3D": "the arrangement for two eyes",
    "SPHERICAL": "the projection of a panorama",
}
"""What decoders hand over beside a frame and encoders do not take, by FFmpeg's names."""


@dataclass(frozen=True)
class Clip:
    """A clip and all that was settled before its first frame is enlarged.

    Attributes:
        job: what is read and written.
        facts: of the source.
        settings: how its frames are enlarged and written.
        network: that enlarges it.
        plan: its tiles in a frame.
        encoding: of the result's frames.
        joining: what else the result is made of.
        asked: all that decides the result's bytes, as JSON holds it.
        notes: what cannot be kept, one sentence each.
    """

    job: Moving
    facts: Facts
    settings: MovingSettings
    network: Opened
    plan: TilePlan
    encoding: Encoding
    joining: Joining
    asked: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Frames that the source promises."""
        return self.facts.packets

    def run(self, on_frame: OnFrame) -> MovingResult:
        """Enlarge the clip and put the result in its place.

        Killed or interrupted, it leaves the segments that are done, and the next run of the same
        clip with the same options goes on after them.

        Args:
            on_frame: told of the progress.

        Raises:
            EdgesrError: a frame cannot be decoded, or the result cannot be written.
        """
        make_folder(self.job.output.parent)
        with open_segments(self.job.output, self.asked) as segments:
            resumed, total, pace = self._fill(segments, on_frame)
            with atomic_path(self.job.output) as temporary:
                join_parts(segments, self.joining, temporary)
                segments.mark_joined(temporary)
        codec = f"{self.encoding.encoder} {self.encoding.pixel_format}"
        return MovingResult.of(
            self.job, self.network, self.plan, frames=total, pace=pace, codec=codec,
            notes=self.notes, resumed_frames=resumed,
        )  # fmt: skip

    def _fill(self, segments: Segments, on_frame: OnFrame) -> tuple[int, int, ProgressPace]:
        """Make the segments that are missing; return frames that were there, all, and the pace."""
        source = frames(self.job.input)
        resumed = sum(1 for _ in islice(source, segments.done * SEGMENT_FRAMES))
        on_frame(resumed, "")
        pace = ProgressPace()
        total = resumed
        for first in source:
            part = chain((first,), islice(source, SEGMENT_FRAMES - 1))
            path = segments.path(segments.done)
            enlarged = _Counted(self._enlarged(part, on_frame, pace))
            write_segment(path, self.encoding, enlarged)
            total += enlarged.count
            segments.done += 1
        return resumed, total, pace

    def _enlarged(
        self, part: "Iterable[VideoFrame]", on_frame: OnFrame, pace: ProgressPace
    ) -> "Iterator[VideoFrame]":
        encoding = self.encoding
        lossy = is_lossy(self.facts.codec)
        for frame in part:
            picture = to_picture(frame, self.facts.codec, lossy)
            enlarged = upscale_picture(
                self.network.session, picture, self.settings.tile, self.settings.overlap
            ).picture
            result = to_frame(enlarged, encoding.pixel_format, encoding.colour, self.facts.height)
            result.pts = frame.pts
            on_frame(1, pace.count())
            yield result


class _Counted:
    """Frames, and how many of them were taken."""

    def __init__(self, frames: "Iterable[VideoFrame]") -> None:
        self._frames = frames
        self.count = 0

    def __iter__(self) -> "Iterator[VideoFrame]":
        for frame in self._frames:
            self.count += 1
            yield frame


def prepare_clip(sessions: Sessions, job: Moving, settings: MovingSettings) -> Clip:
    """Examine a clip and refuse what cannot be done, before the work.

    Args:
        sessions: give the network: for a codec with loss the one for lossy pictures.
        job: what is read and written.
        settings: how.

    Raises:
        EdgesrError: it is damaged, encrypted, too large, holds no video, or its result's container
            does not hold what it holds.
    """
    facts = examine(job.input)
    container = FORMATS[job.output.suffix.lower()]
    check_holds(job.input, container)
    with closing(frames(job.input)) as reading:
        first = next(reading)
    network = sessions.session_for(to_picture(first, facts.codec, is_lossy(facts.codec)))
    session = network.session
    plan = plan_for(session, first.height, first.width, settings.tile, settings.overlap)
    encoder = encoder_for(facts.codec, container, held_by(container))
    encoding, described = _encoding(job.input, facts, first, session.scale, encoder, settings)
    check_opens(encoding)
    joining = Joining(job.input, facts, encoding, _matrix(first), container)
    status = job.input.stat()
    asked = {
        "input": [job.input.name, status.st_size, status.st_mtime_ns],
        "network": _digest(session),
        "tiles": [asdict(plan.rows), asdict(plan.columns)],
        "encoding": {name: str(value) for name, value in asdict(encoding).items()},
        "segment_frames": SEGMENT_FRAMES,
        "versions": _versions(),
    }
    described += shape_lost(encoder, container, encoding.aspect)
    with opened(job.input) as source:
        described += dropped(source, container)
    notes = described + _lost(first)
    return Clip(job, facts, settings, network, plan, encoding, joining, asked, notes)


def _encoding(
    path: Path,
    facts: Facts,
    first: "VideoFrame",
    scale: int,
    encoder: Encoder,
    settings: MovingSettings,
) -> tuple[Encoding, tuple[str, ...]]:
    """Return how the result is encoded, and what that does not keep.

    Raises:
        ImageError: the codec ends below the result's size.
    """
    from av import VideoFormat

    width, height = scale * facts.width, scale * facts.height
    try:
        check_sides(encoder, width, height)
    except ImageError as error:
        raise error.at(path) from error
    name = pixel_format(encoder, first.format, width, height)
    with opened(path) as container:
        stream = video_stream(container, path)
        encoding = Encoding(
            encoder=encoder.name,
            pixel_format=name,
            width=width,
            height=height,
            time_base=facts.time_base,
            rate=stream.average_rate or stream.guessed_rate or _ANY_RATE,
            aspect=stream.sample_aspect_ratio or None,
            colour=colour_of(first),
            options=tuple(quality_options(encoder, settings.quality).items()),
        )
    return encoding, losses(facts.codec, first.format, VideoFormat(name), encoder)


def _matrix(frame: "VideoFrame") -> tuple[int, ...] | None:
    """Return the nine numbers by which players turn the frames; None: they do not."""
    for name, block in _side_data(frame):
        if name == "DISPLAYMATRIX":
            return struct.unpack("=9i", block)
    return None


def _lost(frame: "VideoFrame") -> tuple[str, ...]:
    """Return what decoders hand over beside a frame and is not kept, one sentence each."""
    names = {_LOST[name] for name, _ in _side_data(frame) if name in _LOST}
    notes = [f"{name} could not be kept" for name in sorted(names)]
    if frame.interlaced_frame:
        notes.append("it is interlaced, and frames were enlarged whole: de-interlace it first")
    return tuple(notes)


def _side_data(frame: "VideoFrame") -> Iterator[tuple[str, bytes]]:
    """Yield FFmpeg's name and the bytes of what a decoder handed over beside a frame."""
    blocks: Iterable[Any] = frame.side_data  # PyAV's types call it a mapping; it yields the values
    for block in blocks:
        yield block.type.name, bytes(block)


def _digest(session: Session) -> str:
    """Return what tells a network from any other: what it makes of one known tile."""
    side = session.tile or _TRIAL_SIDE
    shape = (session.batch or 1, 3, side, side)
    tile = np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return hashlib.sha256(np.ascontiguousarray(session.run(tile)).tobytes()).hexdigest()


def _versions() -> dict[str, str]:
    """Return the versions of what makes the bytes of a result."""
    import av

    return {"edgesr": __version__, "av": av.__version__}
