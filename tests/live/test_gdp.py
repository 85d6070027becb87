"""Packets against GStreamer's own elements: what gdppay writes, and what gdpdepay reads."""

import io
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from gst import GST, needs_gst

from edgesr.errors import StreamError
from edgesr.live import gdp
from edgesr.live.capture import Capture
from edgesr.live.display import to_i420

CAPS = b"video/x-raw, format=(string)RGB, width=(int)7, height=(int)5, framerate=(fraction)%s\0"


@pytest.mark.parametrize(
    ("rate", "interval_s"), [(b"30/1", 1 / 30), (b"30000/1001", 1001 / 30000), (b"0/1", None)]
)
def test_caps_tell_size_and_interval(rate: bytes, interval_s: float | None) -> None:
    assert gdp.read_caps(CAPS % rate) == gdp.VideoFormat(7, 5, interval_s)
    assert gdp.read_caps(CAPS % rate).frame_bytes == 24 * 5  # lines are filled up to 4 bytes


@pytest.mark.parametrize(
    "payload", [b"", b"\xff\xfe", b"audio/x-raw", CAPS.replace(b"RGB", b"NV12") % b"1/1"]
)
def test_other_formats_are_refused(payload: bytes) -> None:
    with pytest.raises(StreamError, match="no RGB video"):
        gdp.read_caps(payload)


def test_what_is_no_packet_is_refused() -> None:
    with pytest.raises(StreamError, match="not in the form"):
        gdp.read_header(b"\x89PNG" + bytes(58))
    huge = gdp.HEADER.pack(1, 0, 0, 0, 1, 2**31, 0, 0, 0, 0, 0, bytes(14), 0, 0)
    with pytest.raises(StreamError, match="not in the form"):
        gdp.read_header(huge)


@needs_gst
@pytest.mark.parametrize("size", ["16x16", "37x23"])
def test_frames_of_gdppay(size: str) -> None:
    """The same pattern as a PNG is the judge; the noise in its last third differs."""
    width, height = map(int, size.split("x"))
    head = [
        *("videotestsrc", "num-buffers=3", "pattern=smpte", "!"),
        *(f"video/x-raw,format=RGB,width={width},height={height},framerate=10/1", "!"),
    ]
    packets = subprocess.run(
        [GST, "-q", *head, "gdppay", "!", "fdsink"], capture_output=True, check=True
    ).stdout
    seen: list[object] = []
    capture = Capture(io.BytesIO(packets), lambda: 1000.0, seen.append)
    capture.join()
    taken = capture.take(1.0)
    assert taken is not None and capture.failure is None
    frame, _ = taken
    assert frame.number == 2 and frame.time_s == pytest.approx(0.2)
    assert capture.interval_s == pytest.approx(0.1)
    assert len(seen) == 2 and capture.has_ended
    png = subprocess.run(
        [GST, "-q", *head, "pngenc", "snapshot=true", "!", "fdsink"],
        capture_output=True,
        check=True,
    ).stdout
    expected = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    rows = slice(0, int(0.6 * height))  # below there is noise
    np.testing.assert_array_equal(frame.rgb[rows], expected[rows])


@needs_gst
@pytest.mark.parametrize(("width", "height"), [(64, 48), (52, 36), (14, 10)])
def test_gdpdepay_reads_what_is_written(width: int, height: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (height // 2, width // 2, 3), np.uint8)
    rgb = small.repeat(2, axis=0).repeat(2, axis=1)  # chroma has half as many pixels
    planes = to_i420(rgb).tobytes()
    caps = gdp.caps(width, height, 0.25)
    stream = gdp.opening(caps)
    for number in range(3):
        stream += gdp.buffer_header(len(planes), number / 4, 0.25) + planes + caps
    done = subprocess.run(
        [
            *(GST, "-q", "fdsrc", "fd=0", "!", "gdpdepay", "!", "videoconvert", "!"),
            *("video/x-raw,format=RGB", "!", "pngenc", "!"),
            *("multifilesink", f"location={tmp_path}/%d.png"),
        ],
        input=stream,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    assert len(list(tmp_path.iterdir())) == 3
    shown = cv2.imread(str(tmp_path / "2.png"))[:, :, ::-1]
    assert np.abs(shown.astype(int) - rgb).max() <= 6  # two conversions of 8 bits


def test_a_stream_that_breaks_off_is_an_end() -> None:
    caps = CAPS % b"5/1"
    whole = gdp.HEADER.pack(1, 0, 0, 0, 2, len(caps), 0, 0, 0, 0, 0, bytes(14), 0, 0) + caps
    packet = gdp.buffer_header(120, 0.0, 0.2) + bytes(120)
    capture = Capture(io.BytesIO(whole + packet + packet[:70]), lambda: None, lambda frame: None)
    capture.join()
    assert capture.frames == 1 and capture.failure is None


def test_a_frame_of_another_size_is_refused() -> None:
    caps = CAPS % b"5/1"
    whole = gdp.HEADER.pack(1, 0, 0, 0, 2, len(caps), 0, 0, 0, 0, 0, bytes(14), 0, 0) + caps
    stream = io.BytesIO(whole + gdp.buffer_header(119, 0.0, 0.2) + bytes(119))
    capture = Capture(stream, lambda: None, lambda frame: None)
    capture.join()
    assert capture.failure is not None and "another size" in str(capture.failure)
