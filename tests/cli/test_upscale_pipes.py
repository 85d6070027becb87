"""`-` for standard input and output of `edgesr upscale`."""

import io
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EDGESR = [sys.executable, "-m", "edgesr"]


def picture() -> "tuple[np.ndarray, bytes]":
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return pixels, file.getvalue()


@pytest.fixture
def model(make_nearest: Callable[..., Path]) -> list[str]:
    """A network that repeats every pixel four times."""
    return ["-m", str(make_nearest())]


def pipe(data: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    command = [*EDGESR, "upscale", *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=120, check=False)


@pytest.mark.parametrize("output", [(), ("-o", "-")])
def test_from_pipe_to_pipe(model: list[str], output: tuple[str, ...]) -> None:
    pixels, data = picture()
    done = pipe(data, "-", *output, *model)
    assert done.returncode == 0
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), pixels.repeat(4, 0).repeat(4, 1))
    assert b"standard-output.png  30x20 -> 120x80" in done.stderr


def test_from_pipe_to_file_and_from_file_to_pipe(model: list[str], tmp_path: Path) -> None:
    _, data = picture()
    done = pipe(data, "-", "-o", str(tmp_path / "big.webp"), *model)
    assert done.returncode == 0
    with Image.open(tmp_path / "big.webp") as image:
        assert (image.format, image.size) == ("WEBP", (120, 80))
    (tmp_path / "small.png").write_bytes(data)
    done = pipe(b"", str(tmp_path / "small.png"), "-o", "-", "-f", "jpg", "--json", *model)
    assert done.returncode == 0
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert (image.format, image.size) == ("JPEG", (120, 80))
    assert done.stderr.startswith(b'{"status": "done"')


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (b"Dear diary", ("-",), b"error: standard-input: not a picture"),
        (b"", ("-",), b"error: standard-input: the file is empty"),
        (b"", ("-", "other.png"), b"standard input and output take one picture"),
    ],
)
def test_what_cannot_be_piped(
    model: list[str], data: bytes, arguments: tuple[str, ...], message: bytes
) -> None:
    done = pipe(data, *arguments, *model)
    assert done.returncode == 1
    assert message in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_a_clip_is_no_picture_and_no_file_is_told_that_nobody_named(
    model: list[str], tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    done = pipe(b"", str(clip), "-o", "-", *model)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: -o -: clips are written as ")
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("words", "closed", "code", "message"),
    [
        ("- -o x.png", "<&-", 1, b"error: standard input: is closed"),
        ("a.png -o -", ">&-", 1, b"error: standard output: is closed"),
        ("a.png -o x.png --scale 9", ">&-", 1, b"error: --scale: an enlargement lies"),
        ("a.png -o x.png", "<&- >&- 2>&-", 0, b""),
    ],
)
def test_streams_that_are_closed(
    model: list[str], tmp_path: Path, words: str, closed: str, code: int, message: bytes
) -> None:
    (tmp_path / "a.png").write_bytes(picture()[1])
    line = f"{shlex.join(EDGESR)} upscale {words} {shlex.join(model)} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "x.png").is_file() == (code == 0)
