"""Packets of the GStreamer Data Protocol, version 1.0: what `gdppay` writes and `gdpdepay` reads.

A pipe carries bytes only. In these packets a frame keeps its presentation time, and the format of
the frames comes along as GStreamer negotiated it (gst-plugins-bad, gst/gdp/dataprotocol.c).
"""

import re
import struct
from dataclasses import dataclass
from fractions import Fraction

from edgesr.errors import StreamError

HEADER = struct.Struct(">BBBBHIQQQQH14sHH")
"""Version (major, minor), flags, padding, type, payload length, presentation time and duration in
ns, offset and its end, flags of the buffer, reserved, two checksums that flags can leave out."""

BUFFER, CAPS = 1, 2
_EVENT = 64  # and above: 64 plus GStreamer's number of the event
_STREAM_START, _SEGMENT = 0x280E, 0x460E
_UNKNOWN = 2**64 - 1
_LARGEST = 1 << 28  # bytes of a payload; a frame of 8192 x 8192 in RGB is below
_NO_CHECKSUMS = 0

_WHOLE_TIME = (
    "GstEventSegment, segment=(GstSegment)"
    '"segment, flags=(GstSegmentFlags)GST_SEGMENT_FLAG_NONE, rate=(double)1, '
    "applied-rate=(double)1, format=(GstFormat)time, base=(guint64)0, offset=(guint64)0, "
    f"start=(guint64)0, stop=(guint64){_UNKNOWN}, time=(guint64)0, position=(guint64)0, "
    f'duration=(guint64){_UNKNOWN};";'
)
"""A segment in which a time stamp is the running time."""


@dataclass(frozen=True)
class Header:
    """What the data protocol puts before a payload.

    Attributes:
        kind: BUFFER, CAPS, or an event's number.
        length: of the payload, in bytes.
        time_s: presentation time; None where there is none.
    """

    kind: int
    length: int
    time_s: float | None


@dataclass(frozen=True)
class VideoFormat:
    """Raw video as a source gives it.

    Attributes:
        width: in pixels.
        height: in pixels.
        interval_s: time between frames, as the source declares it; None where it does not.
    """

    width: int
    height: int
    interval_s: float | None

    @property
    def stride_bytes(self) -> int:
        """Bytes of a line in RGB; GStreamer fills lines up to four."""
        return -(-3 * self.width // 4) * 4

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame in RGB."""
        return self.stride_bytes * self.height


def read_header(data: bytes | bytearray) -> Header:
    """Read a packet's header.

    Raises:
        StreamError: it is none.
    """
    major, _, _, _, kind, length, time_ns, *_ = HEADER.unpack(data)
    if major != 1 or length > _LARGEST:
        raise StreamError("the frames of the source are not in the form that gdppay writes")
    return Header(kind, length, None if time_ns == _UNKNOWN else time_ns / 1e9)


def read_caps(payload: bytes | bytearray) -> VideoFormat:
    """Read the format out of the payload of a CAPS packet.

    Raises:
        StreamError: it is not raw RGB video of a known size.
    """
    text = payload.decode("utf-8", errors="replace")
    sizes = [re.search(rf"\b{side}=\(int\)([0-9]+)", text) for side in ("width", "height")]
    if "format=(string)RGB" not in text or not all(sizes):
        raise StreamError(f"the source gives no RGB video ({text[:100]})")
    width, height = (int(found[1]) for found in sizes if found)
    rate = re.search(r"\bframerate=\(fraction\)([0-9]+)/([1-9][0-9]*)", text)
    is_paced = rate is not None and int(rate[1]) > 0
    interval_s = float(Fraction(int(rate[2]), int(rate[1]))) if rate and is_paced else None
    return VideoFormat(width, height, interval_s)


def opening(caps: bytes) -> bytes:
    """Return what begins a stream.

    Args:
        caps: from `caps`.
    """
    return (
        _packet(_EVENT + _STREAM_START, b"GstEventStreamStart, stream-id=(string)edgesr;\0")
        + caps
        + _packet(_EVENT + _SEGMENT, _WHOLE_TIME.encode() + b"\0")
    )


def caps(width: int, height: int, interval_s: float) -> bytes:
    """Return the packet that states the format: I420, BT.601; once more, it changes nothing.

    Args:
        width: of a frame in pixels.
        height: likewise.
        interval_s: usual time between frames. It paces nothing, but without it x264 holds every
            frame back until the next has come.
    """
    rate = (1 / Fraction(interval_s)).limit_denominator(1001)
    text = (
        f"video/x-raw, format=(string)I420, width=(int){width}, height=(int){height}, "
        f"framerate=(fraction){rate.numerator}/{rate.denominator}, "
        "pixel-aspect-ratio=(fraction)1/1, interlace-mode=(string)progressive, "
        "colorimetry=(string)bt601\0"
    )
    return _packet(CAPS, text.encode())


def buffer_header(length: int, time_s: float, duration_s: float) -> bytes:
    """Return what precedes a frame.

    Args:
        length: of the frame in bytes.
        time_s: when it is shown.
        duration_s: how long it is shown, if it is the last: without, players leave it out.
    """
    return _header(BUFFER, length, max(0, round(1e9 * time_s)), round(1e9 * duration_s))


def _packet(kind: int, payload: bytes) -> bytes:
    return _header(kind, len(payload), _UNKNOWN) + payload


def _header(kind: int, length: int, time_ns: int, duration_ns: int = _UNKNOWN) -> bytes:
    head = (1, 0, _NO_CHECKSUMS, 0, kind, length, time_ns, duration_ns)
    return HEADER.pack(*head, _UNKNOWN, _UNKNOWN, 0, bytes(14), 0, 0)
