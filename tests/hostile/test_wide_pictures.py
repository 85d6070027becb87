"""A few hundred bytes may be a picture that is a quarter of a million pixels wide."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgesr.errors import LimitError
from edgesr.imaging import limits
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.runtime.upscale import plan_for
from edgesr.weights import shipped

WIDTH, HEIGHT = 249_000, 64  # at x4 just below the million where PNG ends


@pytest.fixture(scope="module")
def session() -> Iterator[OnnxRuntimeSession]:
    opened = OnnxRuntimeSession(shipped("bicubic", 4, "onnx"), threads=1)
    yield opened
    opened.close()


def _chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _black(path: Path, width: int, height: int) -> Path:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    lines = zlib.compress(bytes(height * (1 + (width + 7) // 8)), 9)
    data = _chunk(b"IHDR", header) + _chunk(b"IDAT", lines) + _chunk(b"IEND")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def test_a_row_of_tiles_that_takes_gigabytes_is_refused_before_the_first(tmp_path: Path) -> None:
    path = _black(tmp_path / "wide.png", WIDTH, HEIGHT)
    assert path.stat().st_size < 3000
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", "upscale", path, "-m", "bicubic", "-o", "x.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {path}: a row of tiles of the result has 996000x256 = 255.0 megapixels, more than "
        "the limit of 51.2\n  try: edgesr --max-megapixels 638 COMMAND ...\n"
    )
    assert not (tmp_path / "x.png").exists()


def test_the_limit_that_is_named_is_enough(
    session: OnnxRuntimeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(limits.VARIABLE, "637")
    with pytest.raises(LimitError):
        plan_for(session, HEIGHT, WIDTH)
    monkeypatch.setenv(limits.VARIABLE, "638")
    assert len(plan_for(session, HEIGHT, WIDTH).rows.starts) == 1


@pytest.mark.parametrize(("height", "width"), [(20, 150_000), (2500, 50_000), (9000, 14_000)])
def test_panoramas_within_the_limit_on_pixels_are_done(
    session: OnnxRuntimeSession, height: int, width: int
) -> None:
    assert len(plan_for(session, height, width)) > 1


def test_a_server_of_smaller_pictures_takes_wide_ones(
    session: OnnxRuntimeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(limits.VARIABLE, "16")
    assert len(plan_for(session, 400, 40_000)) > 1
    with pytest.raises(LimitError):
        plan_for(session, HEIGHT, WIDTH)
