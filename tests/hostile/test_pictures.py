"""Pictures from strangers: refused with a reason, in bounded time and memory, by every reader."""

import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from peak_memory import PEAK_KIB

from benchmarks.hostile.mutated import cases, seeds
from benchmarks.hostile.pictures import judge
from edgesr.errors import ConfigError, ImageError
from edgesr.files import write_text
from edgesr.imaging import limits
from edgesr.imaging.picture import decode, read_picture
from edgesr.imaging.quiet import captured_stderr
from edgesr.train.images import pairs, read_rgb

DATA = Path(__file__).parent / "data"
PHOTO = Path(__file__).parents[1] / "data" / "photo.png"
EDGESR = [sys.executable, "-m", "edgesr"]
DAMAGED = sorted(path for path in DATA.iterdir() if path.suffix != ".md")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, pixels: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra
        + _chunk(b"IDAT", zlib.compress(pixels, 9)) + _chunk(b"IEND", b"")
    )  # fmt: skip


def _many_views(size: int, entries: int) -> bytes:
    """An EXIF block in which every entry names the same large value."""
    at = 8 + 2 + 12 * entries + 4
    head = b"II*\0" + struct.pack("<IH", 8, entries)
    each = (struct.pack("<HHII", tag, 7, size, at) for tag in range(1, entries + 1))
    return head + b"".join(each) + bytes(4 + size)


def _verdict(reader: Callable[[Path], object], path: Path) -> str:
    try:
        reader(path)
    except ImageError as error:
        return str(error)
    return "read"


def test_seeds_are_read_without_a_difference() -> None:
    assert len(seeds()) >= 60
    assert {name: judge(data, data).what for name, data in seeds().items()} == dict.fromkeys(
        seeds(), ""
    )


def test_mutated_pictures_are_refused_or_right() -> None:
    known = seeds()
    verdicts = {
        name: judge(data, known[name.partition("_")[2]]) for name, data in cases(400, first=20_000)
    }
    wrong = {n: v for n, v in verdicts.items() if v.outcome in ("wrong", "traceback")}
    assert wrong == {}
    assert max(verdict.seconds for verdict in verdicts.values()) < 10.0
    assert sum(verdict.outcome == "refused" for verdict in verdicts.values()) > 100


@pytest.mark.parametrize("path", DAMAGED, ids=lambda path: path.name)
def test_a_damaged_picture_is_refused_by_every_reader(path: Path) -> None:
    with pytest.raises(ImageError):
        read_picture(path)
    with pytest.raises(ImageError):
        read_rgb(path)


def test_the_trainer_and_upscale_say_the_same(tmp_path: Path) -> None:
    for name, data in cases(300, first=30_000):
        path = tmp_path / name
        path.write_bytes(data)
        assert _verdict(read_picture, path) == _verdict(read_rgb, path)
        path.unlink()


def test_what_a_decoder_prints_is_kept_where_no_file_can_grow() -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from edgesr.imaging.picture import read_picture\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except Exception as error: raise SystemExit(type(error).__name__ == 'ImageError')\n"
    )
    for name in ("damaged.jpg", "damaged.tif"):
        assert subprocess.run(
            [sys.executable, "-c", code, str(DATA / name)], check=False
        ).returncode


def test_more_complaints_than_a_pipe_holds_do_not_stop_the_decoder() -> None:
    with captured_stderr() as complaints:
        for _ in range(40):
            os.write(2, b"x" * 65536)
    assert len(complaints.text) == 1 << 20


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_texts_and_profiles_of_a_png_are_not_all_inflated(name: bytes) -> None:
    """Each of 900 chunks holds eight megabytes, just what libpng allows one to hold."""
    method = b"\0\1\0\0\0" if name == b"iTXt" else b"\0\0"
    text = _chunk(name, b"Comment" + method + zlib.compress(bytes(7_900_000), 9))
    start = time.process_time()
    picture = decode(_png(20, 20, b"\0\xff\xff\xff" * 20, text * 900))
    assert time.process_time() - start < 3.0
    assert picture.colour.min() == 255


def test_a_long_chunk_of_another_program_is_passed_over() -> None:
    """OpenCV calls a file with more than eight megabytes in one damaged."""
    picture = decode(_png(20, 20, b"\0\xff\xff\xff" * 20, _chunk(b"abCd", bytes(20_000_000))))
    assert picture.colour.min() == 255


def test_the_limit_is_on_pixels_and_can_be_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _png(20_000, 8_000, bytes(8_000 * 2_501))
    with pytest.raises(
        ImageError, match=r"160\.0 megapixels, more than the limit of 128"
    ) as refused:
        decode(data)
    assert refused.value.fix == "edgesr --max-megapixels 160 COMMAND ..."
    monkeypatch.setenv(limits.VARIABLE, "160")
    limits.check_size("PNG", 20_000, 8_000)
    monkeypatch.setenv(limits.VARIABLE, "none")
    with pytest.raises(ConfigError, match="number above 0"):
        decode(data)


def test_small_files_take_little_memory(tmp_path: Path) -> None:
    small = bytes(4 * 20)
    (tmp_path / "exif.png").write_bytes(
        _png(20, 20, small, _chunk(b"eXIf", _many_views(100_000, 20_000)))
    )
    (tmp_path / "directory.tif").write_bytes(_many_views(1 << 20, 65_000))
    (tmp_path / "wide.png").write_bytes(_png(100_000, 20, bytes(20 * 12_501)))
    (tmp_path / "idat.png").write_bytes((DATA / "idat_length.png").read_bytes())
    code = (
        "import sys; from pathlib import Path\n"
        "from edgesr.errors import EdgesrError\n"
        "from edgesr.imaging.picture import read_picture\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except EdgesrError: pass\n"
        f"print({PEAK_KIB} // 1024)\n"
    )
    for path in tmp_path.iterdir():
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        assert int(done.stdout) < 500, path.name


@pytest.mark.long
def test_a_wide_picture_is_enlarged_within_a_gigabyte(tmp_path: Path) -> None:
    """A file of 324 bytes, 100,000 x 20 pixels; the result has 32 million."""
    path = tmp_path / "wide.png"
    path.write_bytes(_png(100_000, 20, bytes(20 * 12_501)))
    code = (
        "import sys; from edgesr.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code\n"
        f"print({PEAK_KIB} // 1024)\n"
    )
    command = ["upscale", str(path), "-m", "bicubic", "-o", str(tmp_path / "x.png")]
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True
    )
    assert int(done.stdout.splitlines()[-1]) < 1000


@pytest.mark.parametrize("place", ["start", "scan", "end"])
@pytest.mark.parametrize(
    "byte",
    [
        b"\xff",
        b"\xff\x00",
        *(pytest.param(byte, marks=pytest.mark.long) for byte in (b"\xff\xd0", b"\xff\xff\x00")),
    ],
)
def test_a_hundred_megabytes_of_fill_bytes_are_bounded(place: str, byte: bytes) -> None:
    jpeg = seeds()["baseline_RGB_64x40.jpg"]
    at = {"start": 2, "scan": jpeg.index(b"\xff\xda") + 40, "end": len(jpeg) - 2}[place]
    long = jpeg[:at] + byte * (100_000_000 // len(byte)) + jpeg[at:]
    start = time.process_time()
    with pytest.raises(ImageError):
        decode(long)
    assert time.process_time() - start < 5.0


@pytest.mark.parametrize("tail", [b"", b"\x00"])
def test_the_time_of_fill_bytes_is_not_their_square(tail: bytes) -> None:
    """A megabyte of them is allowed, and took an hour when every run was searched anew."""
    jpeg = seeds()["baseline_RGB_64x40.jpg"]
    start = time.process_time()
    picture = decode(jpeg[:-2] + b"\xff" * 1_000_000 + tail + jpeg[-2:])
    assert time.process_time() - start < 2.0
    np.testing.assert_array_equal(picture.colour, decode(jpeg).colour)


@pytest.mark.parametrize("part", [b"\xff\xfe\x00\x02", b"\xff\xdd\x00\x04\x00\x00", b"\xff\xd0"])
def test_markers_are_counted(part: bytes) -> None:
    jpeg = seeds()["baseline_RGB_64x40.jpg"]
    np.testing.assert_array_equal(
        decode(jpeg[:2] + part * 500 + jpeg[2:]).colour, decode(jpeg).colour
    )
    with pytest.raises(ImageError, match="more than 10000 markers"):
        decode(jpeg[:2] + part * 2_000_000 + jpeg[2:])


def test_scans_are_counted() -> None:
    jpeg = seeds()["progressive_RGB_64x40.jpg"]
    scan = jpeg.rindex(b"\xff\xda")
    start = time.process_time()
    with pytest.raises(ImageError, match="more than 100 scans"):
        decode(jpeg[:-2] + jpeg[scan:-2] * 3000 + jpeg[-2:])
    assert time.process_time() - start < 5.0


def test_a_file_too_long_for_any_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "hole.png"
    path.write_bytes((DATA / "depth0_trns.png").read_bytes())
    os.truncate(path, 1 << 40)  # takes a block of the disk
    with pytest.raises(
        ImageError, match=r"takes 1099512 MB, more than .* 128 megapixels"
    ) as caught:
        read_picture(path)
    assert caught.value.fix == "edgesr --max-megapixels 137431 COMMAND ..."


def test_a_file_that_is_no_picture_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.touch()
    os.truncate(path, 1 << 30)
    start = time.process_time()
    with pytest.raises(ImageError, match="not a picture"):
        read_picture(path)
    assert time.process_time() - start < 0.2


def test_one_bad_entry_does_not_end_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "endless.png").symlink_to("/dev/zero")
    (folder / "depth.png").write_bytes((DATA / "depth0_trns.png").read_bytes())
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe")
    for name in (b"\xffa.png", b"z_[red]\x1b[31m.png"):
        (folder / os.fsdecode(name)).write_bytes(PHOTO.read_bytes())
    done = subprocess.run(
        [*EDGESR, "upscale", str(folder), "-o", str(tmp_path / "out"), "-m", "bicubic"],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error: ") == 4
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert "\x1b" not in done.stdout + done.stderr
    assert r"z_[red]\x1b[31m" in done.stdout
    assert r"\udcffa_x4.png" in done.stdout


def test_the_trainer_passes_over_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dead.png").symlink_to("nowhere.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert [type(one) for one in pairs(sorted(tmp_path.iterdir()), 4)] == [ImageError] * 3


def test_temporary_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from edgesr.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    (dead,) = tmp_path.iterdir()
    alive = dead.with_name(
        dead.name.replace(dead.name.split("-")[-1].split(".")[0], str(os.getppid()))
    )
    alive.write_text("of another run")
    write_text(target, "new")
    assert sorted(tmp_path.iterdir()) == sorted([alive, target])
