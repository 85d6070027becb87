"""GStreamer pipelines as words, one element or property each, as `gst-launch-1.0` takes them. Pure.

Two sets of elements do the same work: those of a Jetson, where its decoder, scaler and encoder are
hardware, and those of any machine.
"""

from dataclasses import dataclass

from edgesr.engine.board import Board
from edgesr.live.endpoints import (
    CONTAINERS,
    Camera,
    Network,
    Pattern,
    Sink,
    Size,
    Source,
    Window,
)

TEST_SIZE: Size = (640, 360)
TEST_FPS = 5  # what two cores of a server do with esr-fast
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
        convert: from what the decoder gives to what `videoconvert` takes.
        scales: whether `convert` scales too.
        encode: from I420 to H.264.
        show: from I420 to a window.
    """

    name: str
    decode: Words
    convert: Words
    scales: bool
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
    scales=False,
    encode=_X264,
    show=("videoconvert", "!", "autovideosink", "sync=false"),
)
"""Elements of GStreamer's own packages."""

JETSON = Elements(
    name="jetson",
    decode=("parsebin", "!", "nvv4l2decoder"),
    convert=("nvvidconv",),
    scales=True,
    encode=(
        *("nvvidconv", "!", "video/x-raw(memory:NVMM),format=NV12", "!"),
        *("nvv4l2h264enc", "bitrate=20000000", "insert-sps-pps=true", "maxperf-enable=true"),
    ),
    show=("nvvidconv", "!", "nv3dsink", "sync=false"),
)
"""Elements of JetPack's package nvidia-l4t-gstreamer."""

JETSON_WITHOUT_ENCODER = Elements(
    "jetson", JETSON.decode, JETSON.convert, JETSON.scales, _X264, JETSON.show
)
"""An Orin Nano has no hardware encoder (NVIDIA, data sheet of the Jetson Orin Nano series)."""

_FAMILIES_WITHOUT_ENCODER = ("jetson-orin-nano",)


def elements_for(board: Board | None) -> Elements:
    """Return the elements of a board; None: of a machine that is no Jetson."""
    if board is None or not board.is_jetson:
        return SOFTWARE
    return JETSON_WITHOUT_ENCODER if board.family in _FAMILIES_WITHOUT_ENCODER else JETSON


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
    width, height = size or TEST_SIZE
    sides = f"width={width},height={height}"
    to_rgb: Words = ("videoconvert", "!", "video/x-raw,format=RGB")
    if isinstance(source, Pattern):
        fps = fps or TEST_FPS
        # A frame is drawn when the one before is given away, and held until it is due. Most of
        # those drawn are dropped, so that one is given away soon after it was drawn.
        drawn_fps = fps * max(1, _DRAWN_FPS // fps)
        frames: Words = (
            *("videotestsrc", "is-live=true", f"pattern={source.pattern}"),
            *("animation-mode=wall-time", "motion=sweep", "!"),
            f"video/x-raw,{sides},framerate={drawn_fps}/1",
        )
        return _to_stdout(_joined(frames, _thinned(fps), to_rgb))
    convert = elements.convert
    if isinstance(source, Camera):
        width, height = size or CAMERA_SIZE
        sides = f"width={width},height={height}"
        frames = (
            *("v4l2src", f"device={_quoted(str(source.device))}", "!"),
            *(f"video/x-raw,{sides};image/jpeg,{sides}", "!", "decodebin"),
        )
    elif isinstance(source, Network):
        frames = (
            *("rtspsrc", f"location={_quoted(source.url)}", "protocols=tcp"),
            *(f"latency={_JITTER_MS}", "!", *elements.decode),
        )
    else:
        frames = (
            *("filesrc", f"location={_quoted(str(source.path))}", "!", *elements.decode, "!"),
            *("identity", "sync=true", "single-segment=true"),  # at the pace of the recording
        )
    if size is not None and not isinstance(source, Camera):
        convert = convert if elements.scales else ("videoscale",)
        to_rgb = (
            (f"video/x-raw,{sides},format=BGRx", "!", *to_rgb)
            if elements.scales
            else (f"video/x-raw,{sides}", "!", *to_rgb)
        )
    elif elements.convert:
        to_rgb = ("video/x-raw,format=BGRx", "!", *to_rgb)
    return _to_stdout(_joined(frames, convert, _thinned(fps), to_rgb))


def sink_pipeline(elements: Elements, sink: Sink) -> Words:
    """Return the pipeline from I420 frames as GDP packets on standard input to a sink.

    No element of it up to the encoder or the window has a queue, so that it reads on only once it
    is done with a frame.
    """
    head: Words = ("fdsrc", "fd=0", f"blocksize={_PIPE_BYTES}", "!", "gdpdepay")
    encoded: Words = (*elements.encode, "!", "h264parse", "config-interval=-1")
    if isinstance(sink, Window):
        return _joined(head, elements.show)
    if isinstance(sink, Network):
        publish = ("rtspclientsink", f"location={_quoted(sink.url)}", "protocols=tcp")
        return _joined(head, encoded, publish)
    mux = CONTAINERS[sink.path.suffix.lower()]
    return _joined(head, encoded, (mux, "!", "filesink", f"location={_quoted(str(sink.path))}"))


def _thinned(fps: int | None) -> Words:
    return () if fps is None else ("videorate", "drop-only=true", f"max-rate={fps}")


def _to_stdout(frames: Words) -> Words:
    latest = ("queue", "leaky=downstream", "max-size-buffers=1")
    return _joined(frames, latest, ("gdppay", "!", "fdsink", "fd=1", "sync=false"))


def _joined(*chains: Words) -> Words:
    words: list[str] = []
    for chain in filter(None, chains):
        words += ["!", *chain] if words else chain
    return tuple(words)


def _quoted(text: str) -> str:
    """Return a value as GStreamer's parser reads it back, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
