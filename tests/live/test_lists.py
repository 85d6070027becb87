"""A file of a stranger may name another file of this machine as the place of its video."""

import subprocess
from pathlib import Path

import pytest
from gst import GST, ended, live, needs_gst

pytestmark = needs_gst

PLAYLIST = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:10
#EXTINF:9.0,
{segment}
#EXT-X-ENDLIST
"""
MANIFEST = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"
 minBufferTime="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp2t"><Representation id="1" bandwidth="1">
<BaseURL>{segment}</BaseURL></Representation></AdaptationSet></Period></MPD>
"""


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A recording that nobody asked for, of the kind that such lists are made of."""
    path = tmp_path / "private.ts"
    source = "videotestsrc num-buffers=50 ! video/x-raw,width=64,height=48,framerate=25/1"
    pipeline = f"{source} ! x264enc ! mpegtsmux ! filesink location={path}"
    subprocess.run([GST, "--quiet", *pipeline.split()], check=True)
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.m3u8", "a.mpd"])
def test_what_a_file_names_is_not_opened(name: str, private: Path, tmp_path: Path) -> None:
    text = MANIFEST if name.endswith("mpd") else PLAYLIST
    (tmp_path / name).write_text(text.format(segment=private.as_uri()))
    sink = tmp_path / "out.mkv"
    process = live(
        *("--source", tmp_path / name, "--sink", sink, "-m", "esr-fast", "--power", "none"),
        *("--duration-s", "1"),
    )
    with ended(process):
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert err == (
        f"error: {tmp_path / name}: it is a list of other files or addresses, which is not "
        "followed\n"
    )
    assert not sink.exists()
