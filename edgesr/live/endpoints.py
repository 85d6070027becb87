"""What `--source` and `--sink` name, checked before anything starts. Nothing is opened here."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edgesr.errors import Argument, ConfigError, MissingError, StreamError, shell
from edgesr.imaging.pixel_size import parse_size

Size = tuple[int, int]
"""Width and height in pixels."""

_SOURCES = "/dev/video0, rtsp://HOST/PATH, a video file, or test"
_SINKS = "window, FILE.mkv, FILE.mp4, or rtsp://HOST:8554/PATH"
_PATTERN = re.compile(r"[a-z0-9-]+")
_RTSP = ("rtsp", "rtsps")
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")

CONTAINERS = {".mkv": "matroskamux", ".mp4": "mp4mux"}
"""What a sink's file may end in, and the GStreamer element that writes it."""

DEFAULT_FILE = "live.mkv"
DEFAULT_SERVER = "rtsp://127.0.0.1:8554/live"


@dataclass(frozen=True)
class Pattern:
    """Moving pictures that GStreamer makes itself.

    Attributes:
        pattern: as `videotestsrc` names it.
    """

    pattern: str


@dataclass(frozen=True)
class Camera:
    """A camera of Video4Linux."""

    device: Path


@dataclass(frozen=True)
class RtspStream:
    """A stream from, or to, an RTSP server."""

    url: str


@dataclass(frozen=True)
class File:
    """A file with video, to be read or to be written."""

    path: Path


@dataclass(frozen=True)
class ScreenWindow:
    """A window on this machine's screen."""


Source = Pattern | Camera | RtspStream | File
Sink = ScreenWindow | File | RtspStream


def parse_source(text: str) -> Source:
    """Return what a source's name means.

    `test` is a ball that turns once a second by the clock; `test://smpte` and the like are other
    patterns of `videotestsrc`.

    Raises:
        ConfigError: it is none of these.
        MissingError: there is no such camera.
        StreamError: the file or the camera cannot be read.
    """
    scheme, separator, rest = text.partition("://")
    if text == "test":
        return Pattern("ball")
    if separator and scheme == "test" and _PATTERN.fullmatch(rest):
        return Pattern(rest)
    if separator:
        return _network(text, "source", _SOURCES)
    path = Path(text)
    if path.is_char_device():
        if not os.access(path, os.R_OK | os.W_OK):
            raise StreamError(
                "you may not use this camera", where=path, fix="sudo usermod -aG video $USER"
            )
        return Camera(path)
    if text.startswith("/dev/video") and not path.exists():
        raise MissingError("there is no such camera", where=path, fix="ls /dev/video*")
    _check_file(path)
    return File(path)


def parse_sink(text: str) -> Sink:
    """Return what a sink's name means; the words `file` and `rtsp` stand for usual places.

    Raises:
        ConfigError: it is none of these, or files of that kind are not written.
    """
    if text == "window":
        return ScreenWindow()
    if text == "rtsp":
        return RtspStream(DEFAULT_SERVER)
    if "://" in text:
        return _network(text, "sink", _SINKS)
    path = Path(DEFAULT_FILE if text == "file" else text)
    if path.suffix.lower() not in CONTAINERS:
        raise ConfigError(
            f"no sink is called '{text}'", where=Argument("sink"), fix=f"--sink {_SINKS}"
        )
    return File(path)


def check_sink(sink: Sink, overwrite: bool, environment: Mapping[str, str]) -> None:
    """Refuse a file that is there, unless it may be replaced, and a window without a screen.

    Args:
        sink: from `parse_sink`.
        overwrite: whether a file may be replaced.
        environment: tells whether there is a screen.

    Raises:
        ConfigError: the file is there, or is a folder.
        MissingError: there is no screen.
    """
    if isinstance(sink, ScreenWindow) and not any(environment.get(name) for name in _SCREENS):
        raise MissingError(
            "there is no screen here (DISPLAY is not set)",
            where=Argument("sink", "window"),
            fix=Argument("sink", "file"),
        )
    if not isinstance(sink, File):
        return
    if sink.path.is_dir():
        raise ConfigError("a folder stands where the video goes", where=sink.path)
    if sink.path.exists() and not overwrite:
        raise ConfigError("is there already", where=sink.path, fix=Argument("overwrite", True))


def parse_frame_size(text: str) -> Size:
    """Read the size of a frame, such as `640x360`.

    Raises:
        ConfigError: it is none, or a side is not from 16 to 8192 pixels.
    """
    return parse_size(text, "size", 16, 8192, "640x360")


def _network(text: str, field: str, choices: str) -> RtspStream:
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in _RTSP and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number, say
        is_right = False
    if not is_right or any(character.isspace() for character in text):
        raise ConfigError(
            f"'{text}' cannot be used", where=Argument(field), fix=f"--{field} {choices}"
        )
    return RtspStream(text)


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
        if path.is_file():
            path.open("rb").close()
    except OSError as error:
        raise StreamError(
            f"cannot be read ({error.strerror})", where=path, fix=f"--source {_SOURCES}"
        ) from error
    if not path.is_file():
        raise StreamError("is no file", where=path, fix=f"--source {_SOURCES}")
    if size == 0:
        raise StreamError("the file is empty", where=path, fix=f"ls -l {shell(path)}")
