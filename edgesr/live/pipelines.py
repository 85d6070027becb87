"""GStreamer pipelines as words, one element or property each, as `gst-launch-1.0` takes them. Pure.

Two sets of elements do the same work: those of a Jetson, where its decoder, scaler and encoder are
hardware, and those of any machine.
"""

from dataclasses import dataclass

from edgesr.boards.board import Board
from edgesr.live.endpoints import (
    CONTAINERS,
    Camera,
    File,
    Pattern,
    RtspStream,
    ScreenWindow,
    Sink,
    Size,
    Source,
)

TEST_SIZE: Size = (640, 360)
TEST_FPS = 5  # of which two cores of a server show three with esr-fast
CAMERA_SIZE: Size = (640, 480)  # every camera has it; their own first choice is often the largest
_DRAWN_FPS = 60
_JITTER_MS = 100  # packets of a network that come late or out of order are waited for so long
_PIPE_BYTES = 1 << 20

Words = tuple[str, ...]


@dataclass(frozen=True)
class Elements:
    """The elements in which machines differ; each is a chain, empty where nothing is needed.

    Attributes:
        name: `jetson` or `software`.
        decode: from a stream of any container and codec to raw frames.
        convert: from what the decoder gives to any size in main memory; empty where frames are
            there already.
        encode: from I420 to H.264.
        show: from I420 to a window.
    """

    name: str
    decode: Words
    convert: Words
    encode: Words
    show: Words


_X264: Words = (
    "x264enc",
    "tune=zerolatency",
    "speed-preset=ultrafast",
    "bitrate=20000",
    "key-int-max=60",
)

SOFTWARE = Elements(
    name="software",
    decode=("decodebin",),
    convert=(),
    encode=_X264,
    show=("videoconvert", "!", "autovideosink", "sync=false"),
)
"""Elements of GStreamer's own packages."""

JETSON = Elements(
    name="jetson",
    decode=("parsebin", "!", "nvv4l2decoder"),
    convert=("nvvidconv",),
    encode=(
        *("nvvidconv", "!", "video/x-raw(memory:NVMM),format=NV12", "!"),
        *("nvv4l2h264enc", "bitrate=20000000", "insert-sps-pps=true", "maxperf-enable=true"),
    ),
    show=("nvvidconv", "!", "nv3dsink", "sync=false"),
)
"""Elements of JetPack's package nvidia-l4t-gstreamer."""

JETSON_WITHOUT_ENCODER = Elements("jetson", JETSON.decode, JETSON.convert, _X264, JETSON.show)


def elements_for(board: Board | None) -> Elements:
    """Return the elements of a board; None: of a machine that is no Jetson."""
    if board is None or not board.is_jetson:
        return SOFTWARE
    return JETSON if board.video_encoder else JETSON_WITHOUT_ENCODER


def source_pipeline(
    elements: Elements, source: Source, fps: int | None = None, size: Size | None = None
) -> Words:
    """Return the pipeline from a source to RGB frames as GDP packets on standard output.

    Frames that nobody takes in time are dropped within it, the oldest first, so that the source
    is never held up.

    Args:
        elements: of the machine.
        source: where frames come from.
        fps: most frames per second; None: as many as come, TEST_FPS of a test pattern.
        size: of a frame; None: the stream's own, TEST_SIZE and CAMERA_SIZE.
    """
    if isinstance(source, Pattern):
        fps = fps or TEST_FPS
        raw = _joined(_drawn(source, fps, size or TEST_SIZE), _thinned(fps))
    elif isinstance(source, Camera):
        raw = _joined(_filmed(source, size or CAMERA_SIZE), _fetched(elements, None, fps))
    else:
        raw = _joined(_decoded(source, elements), _fetched(elements, size, fps))
    latest = ("queue", "leaky=downstream", "max-size-buffers=1")
    to_rgb = ("videoconvert", "!", "video/x-raw,format=RGB")
    return _joined(raw, to_rgb, latest, ("gdppay", "!", "fdsink", "fd=1", "sync=false"))


def _drawn(source: Pattern, fps: int, size: Size) -> Words:
    """Return a test source, from which one frame in so many is to be taken.

    It draws a frame when it has given the one before away, and holds it until it is due. Most of
    those drawn are dropped, so that one that is taken was drawn shortly before.
    """
    return (
        *("videotestsrc", "is-live=true", f"pattern={source.pattern}"),
        *("animation-mode=wall-time", "motion=sweep", "!"),
        f"video/x-raw,{_sides(size)},framerate={fps * max(1, _DRAWN_FPS // fps)}/1",
    )


def _filmed(source: Camera, size: Size) -> Words:
    """Return a camera that is asked for a size; many give large frames as JPEG only."""
    sides = _sides(size)
    caps = f"video/x-raw,{sides};image/jpeg,{sides}"
    return ("v4l2src", f"device={_quoted(str(source.device))}", "!", caps, "!", "decodebin")


def _decoded(source: RtspStream | File, elements: Elements) -> Words:
    """Return a stream, or a recording at its own pace."""
    if isinstance(source, RtspStream):
        location = ("rtspsrc", f"location={_quoted(source.url)}", "protocols=tcp")
        return _joined((*location, f"latency={_JITTER_MS}"), elements.decode)
    pace = ("identity", "sync=true", "single-segment=true")
    return _joined(("filesrc", f"location={_quoted(str(source.path))}"), elements.decode, pace)


def _fetched(elements: Elements, size: Size | None, fps: int | None) -> Words:
    """Return what brings decoded frames to main memory, in a size and at a rate."""
    if not elements.convert and size is None:
        return _thinned(fps)
    caps = ["video/x-raw", *([] if size is None else [_sides(size)])]
    if elements.convert:
        return _joined(elements.convert, _thinned(fps), (",".join([*caps, "format=BGRx"]),))
    return _joined(("videoscale",), _thinned(fps), (",".join(caps),))


def sink_pipeline(elements: Elements, sink: Sink) -> Words:
    """Return the pipeline from I420 frames as GDP packets on standard input to a sink.

    No element of it up to the encoder or the window has a queue, so that it reads on only once it
    is done with a frame.
    """
    head: Words = ("fdsrc", "fd=0", f"blocksize={_PIPE_BYTES}", "!", "gdpdepay")
    encoded: Words = (*elements.encode, "!", "h264parse", "config-interval=-1")
    if isinstance(sink, ScreenWindow):
        return _joined(head, elements.show)
    if isinstance(sink, RtspStream):
        publish = ("rtspclientsink", f"location={_quoted(sink.url)}", "protocols=tcp")
        return _joined(head, encoded, publish)
    mux = CONTAINERS[sink.path.suffix.lower()]
    return _joined(head, encoded, (mux, "!", "filesink", f"location={_quoted(str(sink.path))}"))


def _thinned(fps: int | None) -> Words:
    return () if fps is None else ("videorate", "drop-only=true", f"max-rate={fps}")


def _sides(size: Size) -> str:
    return f"width={size[0]},height={size[1]}"


def _joined(*chains: Words) -> Words:
    words: list[str] = []
    for chain in filter(None, chains):
        words += ["!", *chain] if words else chain
    return tuple(words)


def _quoted(text: str) -> str:
    """Return a value as GStreamer's parser reads it back, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
