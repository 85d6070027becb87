"""What ffprobe, which is not ours and not PyAV's, says of a source and its enlarged result."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VIDEO_KEPT = ("color_range", "color_space", "color_transfer", "color_primaries")
"""Fields of the video stream that an enlargement does not change."""


@dataclass(frozen=True)
class Seen:
    """A file as ffprobe describes it.

    Attributes:
        size: (width, height) of the frames as stored.
        frame_times: of every decoded frame, seconds as ffprobe prints them.
        copied: of every packet that is no video: stream, time stamps, and SHA-256 of its bytes.
        chapters: start, end and title of each.
        stated: colours, sample aspect ratio and rotation of the video stream.
    """

    size: tuple[int, int]
    frame_times: list[str]
    copied: list[tuple[str, ...]]
    chapters: list[tuple[str, str, str]]
    stated: dict[str, Any]


def probe(*arguments: str | Path) -> dict[str, Any]:
    """Return what ffprobe prints as JSON."""
    command = ["ffprobe", "-v", "error", "-of", "json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def see(path: Path) -> Seen:
    """Decode and read a file with ffprobe."""
    (video,) = probe("-select_streams", "v:0", "-show_streams", path)["streams"]
    frames = probe(
        "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", path
    )
    packets = probe("-show_packets", "-show_data_hash", "sha256", path)["packets"]
    copied = [
        (
            packet["codec_type"],
            str(packet["stream_index"]),
            packet.get("pts_time", ""),
            packet["data_hash"],
        )
        for packet in packets
        if packet["codec_type"] in ("audio", "subtitle")
    ]
    chapters = probe("-show_chapters", path)["chapters"]
    turned = [data.get("rotation") for data in video.get("side_data_list", ())]
    stated = {name: video.get(name) for name in VIDEO_KEPT}
    return Seen(
        (video["width"], video["height"]),
        [frame["best_effort_timestamp_time"] for frame in frames["frames"]],
        sorted(copied),
        [(c["start_time"], c["end_time"], c["tags"].get("title", "")) for c in chapters],
        stated
        | {"aspect": video.get("sample_aspect_ratio", "1:1"), "rotation": [t for t in turned if t]},
    )


def differences(source: Seen, result: Seen, scale: int) -> list[str]:
    """Return what is not as it must be, one sentence each."""
    width, height = source.size
    checks = {
        "frame size": (tuple(scale * side for side in (width, height)), result.size),
        "number of frames": (len(source.frame_times), len(result.frame_times)),
        "time stamps of frames": (source.frame_times, result.frame_times),
        "audio and subtitle packets": (source.copied, result.copied),
        "chapters": (source.chapters, result.chapters),
        "colours, aspect and rotation": (source.stated, result.stated),
    }
    return [f"{what}: {a} became {b}" for what, (a, b) in checks.items() if a != b]


def clip(path: Path, seconds: float, size: str, *options: str, rate: int = 25) -> Path:
    """Make a clip of a moving test picture and a tone with ffmpeg."""
    picture = f"testsrc2=size={size}:rate={rate}:duration={seconds}"
    tone = f"sine=frequency=440:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture]
    subprocess.run([*command, "-f", "lavfi", "-i", tone, *options, str(path)], check=True)
    return path
