"""The pipelines word by word, of boards that are not here too, and those of this machine parsed."""

import io
import select
import subprocess
from pathlib import Path

import pytest
from gst import GST, needs_gst

from edgesr.boards.board import get_board
from edgesr.live import gdp
from edgesr.live.capture import Capture
from edgesr.live.endpoints import Camera, File, Pattern, RtspStream, ScreenWindow
from edgesr.live.pipelines import SOFTWARE, elements_for, sink_pipeline, source_pipeline

ORIN_NANO = elements_for(get_board("jetson-orin-nano-8gb"))
AGX = elements_for(get_board("jetson-agx-orin"))
CAMERA = Camera(Path("/dev/video0"))
STREAM = RtspStream("rtsp://camera:8554/door")
TAIL = "queue leaky=downstream max-size-buffers=1 ! gdppay ! fdsink fd=1 sync=false"
HEAD = "fdsrc fd=0 blocksize=1048576 ! gdpdepay"
X264 = "x264enc tune=zerolatency speed-preset=ultrafast bitrate=20000 key-int-max=60"
RGB = "videoconvert ! video/x-raw,format=RGB"


def text(words: tuple[str, ...]) -> str:
    return " ".join(words)


def test_the_elements_of_a_machine() -> None:
    assert elements_for(None) is SOFTWARE
    assert elements_for(get_board("gpu")) is SOFTWARE
    assert AGX.name == ORIN_NANO.name == "jetson"
    assert "nvv4l2h264enc" in AGX.encode
    assert ORIN_NANO.encode == SOFTWARE.encode  # an Orin Nano has no hardware encoder


def test_a_camera_is_asked_for_a_size_raw_or_as_jpeg() -> None:
    start = (
        'v4l2src device="/dev/video0" ! '
        "video/x-raw,width=640,height=480;image/jpeg,width=640,height=480 ! decodebin ! "
    )
    assert text(source_pipeline(SOFTWARE, CAMERA)) == f"{start}{RGB} ! {TAIL}"
    on_board = text(source_pipeline(ORIN_NANO, CAMERA))
    assert on_board == f"{start}nvvidconv ! video/x-raw,format=BGRx ! {RGB} ! {TAIL}"


def test_a_stream_is_decoded_by_the_board_and_thinned() -> None:
    assert text(source_pipeline(AGX, STREAM, fps=15, size=(640, 360))) == (
        'rtspsrc location="rtsp://camera:8554/door" protocols=tcp latency=100 ! '
        "parsebin ! nvv4l2decoder ! nvvidconv ! videorate drop-only=true max-rate=15 ! "
        f"video/x-raw,width=640,height=360,format=BGRx ! {RGB} ! {TAIL}"
    )
    assert text(source_pipeline(SOFTWARE, STREAM, fps=15, size=(640, 360))) == (
        'rtspsrc location="rtsp://camera:8554/door" protocols=tcp latency=100 ! decodebin ! '
        "videoscale ! videorate drop-only=true max-rate=15 ! "
        f"video/x-raw,width=640,height=360 ! {RGB} ! {TAIL}"
    )


def test_a_recording_comes_at_its_own_pace() -> None:
    file = File(Path('a "b" \\ ! c.mp4'))
    assert text(source_pipeline(SOFTWARE, file)) == (
        r'filesrc location="a \"b\" \\ ! c.mp4" ! decodebin ! '
        f"identity sync=true single-segment=true ! {RGB} ! {TAIL}"
    )


def test_a_test_source_has_a_size_and_a_rate() -> None:
    assert text(source_pipeline(ORIN_NANO, Pattern("ball"))) == (
        "videotestsrc is-live=true pattern=ball animation-mode=wall-time motion=sweep ! "
        "video/x-raw,width=640,height=360,framerate=60/1 ! videorate drop-only=true max-rate=5 ! "
        f"{RGB} ! {TAIL}"
    )
    assert "framerate=56/1" in text(source_pipeline(SOFTWARE, Pattern("ball"), fps=7))
    assert "framerate=240/1" in text(source_pipeline(SOFTWARE, Pattern("ball"), fps=240))


def test_sinks_of_each_machine() -> None:
    file, mp4 = File(Path("out.mkv")), File(Path("out.MP4"))
    parse = "h264parse config-interval=-1"
    nvenc = (
        "nvvidconv ! video/x-raw(memory:NVMM),format=NV12 ! "
        "nvv4l2h264enc bitrate=20000000 insert-sps-pps=true maxperf-enable=true"
    )
    matroska = 'matroskamux ! filesink location="out.mkv"'
    assert text(sink_pipeline(SOFTWARE, file)) == f"{HEAD} ! {X264} ! {parse} ! {matroska}"
    assert text(sink_pipeline(ORIN_NANO, file)) == f"{HEAD} ! {X264} ! {parse} ! {matroska}"
    assert text(sink_pipeline(AGX, file)) == f"{HEAD} ! {nvenc} ! {parse} ! {matroska}"
    assert text(sink_pipeline(SOFTWARE, mp4)).endswith('mp4mux ! filesink location="out.MP4"')
    published = f'rtspclientsink location="{STREAM.url}" protocols=tcp'
    assert text(sink_pipeline(AGX, STREAM)) == f"{HEAD} ! {nvenc} ! {parse} ! {published}"
    window = text(sink_pipeline(SOFTWARE, ScreenWindow()))
    assert window == f"{HEAD} ! videoconvert ! autovideosink sync=false"
    assert text(sink_pipeline(AGX, ScreenWindow())) == f"{HEAD} ! nvvidconv ! nv3dsink sync=false"


def test_no_queue_stands_before_encoder_or_window() -> None:
    """Display counts on the sink's process reading on only when it is done with a frame."""
    for elements in (SOFTWARE, ORIN_NANO, AGX):
        for sink in (File(Path("a.mkv")), STREAM, ScreenWindow()):
            assert "queue" not in sink_pipeline(elements, sink)


@needs_gst
@pytest.mark.parametrize("as_jpeg", [False, True])
def test_what_follows_a_camera_takes_raw_and_jpeg(as_jpeg: bool) -> None:
    """All of a camera's pipeline but its first element, behind a test source in its place."""
    words = source_pipeline(SOFTWARE, CAMERA, fps=10, size=(320, 240))
    encode = ("jpegenc", "!") if as_jpeg else ()
    stand_in = ("videotestsrc", "num-buffers=30", "!", *encode, *words[3:])
    done = subprocess.run([GST, "-q", *stand_in], capture_output=True, check=True)
    capture = Capture(io.BytesIO(done.stdout), lambda: None, lambda frame: None)
    capture.join()
    assert capture.format is not None
    assert (capture.format.width, capture.format.height) == (320, 240)
    assert capture.interval_s == pytest.approx(0.1)
    assert 1 <= capture.frames <= 11  # 30 are thinned to 10 a second


@needs_gst
def test_the_encoder_holds_no_frame_back() -> None:
    """One frame goes in, and comes out before there is a second: x264 waits for no rate."""
    caps = gdp.caps(64, 48, 0.2)
    frame = bytes(64 * 48 * 3 // 2)
    encoder = subprocess.Popen(
        [GST, "-q", "fdsrc", "fd=0", "!", "gdpdepay", "!", *SOFTWARE.encode, "!", "fdsink", "fd=1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert encoder.stdin is not None and encoder.stdout is not None
    try:
        encoder.stdin.write(gdp.opening(caps) + gdp.buffer_header(len(frame), 0.0, 0.2) + frame)
        encoder.stdin.flush()
        has_come, _, _ = select.select([encoder.stdout], [], [], 20)
        assert has_come
        assert encoder.stdout.read(4) == b"\0\0\0\1"  # an H.264 unit begins
    finally:
        encoder.kill()
        encoder.communicate()


@needs_gst
@pytest.mark.parametrize("name", ['we "ird ! \\ $y %d.mkv', "ä ö", "a;b=(c),d", "'q'"])
def test_gstreamer_reads_any_file_name_back(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"content")
    words = source_pipeline(SOFTWARE, File(tmp_path / name))[:2]
    done = subprocess.run(
        [GST, "-q", *words, "!", "fdsink", "fd=1"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"content"), done.stderr
