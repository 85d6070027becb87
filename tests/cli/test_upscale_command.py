"""`edgesr upscale` as users run it, mostly with a network whose result is known exactly."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from upscaling import repeated, run

from edgesr.imaging.container import READABLE


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = run(*arguments, "--json")
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def files(folder: str = ".") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_photograph_beside_itself(
    here: Path, nearest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (here / "photo.png").read_bytes()
    assert run("photo.png", "-m", nearest) == 0
    out, err = capfd.readouterr()
    assert out.startswith("photo_x4.png  144x108 -> 576x432, 221 tiles, ")
    assert len(out.splitlines()) == 1, out  # and none on engines, where there is no TensorRT
    line = out.rstrip("\n")
    assert line.endswith(" ms (nearest, onnxruntime)")
    assert err == ""  # no progress bar in a pipe
    result = cv2.imread("photo_x4.png", cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(result, repeated(here / "photo.png"))
    assert (here / "photo.png").read_bytes() == before
    assert files() == ["photo.png", "photo_x4.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-m", "a.engine"], "a.engine: no such engine"),
        (["-m", "a.engine", "--backend", "torch"], "engines run on tensorrt, not torch"),
        (["--quality", "90"], "--quality: does nothing for a format that loses nothing"),
        (["-o", "one.png", "--suffix", "_big"], "--suffix: does nothing where -o names the file"),
    ],
)
def test_an_engine_that_cannot_be(
    here: Path, capfd: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert run("photo.png", *options) == 1
    assert message in capfd.readouterr().err
    assert files() == ["photo.png"]


def test_nothing_is_replaced_unless_asked(
    here: Path, nearest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "photo_x4.png").write_bytes(b"mine")
    assert run("photo.png", "-m", nearest) == 1
    assert capfd.readouterr().err == (
        "error: photo.png: the result is there already (photo_x4.png)\n  try: --overwrite\n"
    )
    assert run("photo.png", "-m", nearest, "--skip-existing") == 0
    assert "1 skipped" in capfd.readouterr().out
    assert (here / "photo_x4.png").read_bytes() == b"mine"
    assert run("photo.png", "-m", nearest, "--overwrite") == 0
    np.testing.assert_array_equal(cv2.imread("photo_x4.png"), repeated(here / "photo.png"))


def test_json_tells_everything_and_stands_alone(
    here: Path, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run_json(capsys, "photo.png", "-m", nearest, "--overlap", 4, "--check")
    assert code == 0
    (entry,) = lines
    assert entry["status"] == "done"
    assert entry["input"] == "photo.png"
    assert entry["output"] == "photo_x4.png"
    assert (entry["input_size"], entry["output_size"]) == ([144, 108], [576, 432])
    assert (entry["model"], entry["backend"], entry["scale"]) == ("nearest", "onnxruntime", 4)
    assert (entry["tile"], entry["overlap"], entry["tiles"]) == ([16, 16], 4, 108)
    assert entry["seam_ratio"] == 1.0
    assert all(entry[key] > 0 for key in ("load_ms", "read_ms", "latency_ms", "write_ms"))


def test_broken_files_give_a_line_each_and_the_others_are_done(
    here: Path, data: Path, nearest: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "empty.png").touch()
    (here / "text.png").write_text("Dear diary")
    (here / "cut.png").write_bytes((here / "photo.png").read_bytes()[:9000])
    (here / "torn.jpg").write_bytes((data / "city_512.jpg").read_bytes()[:30000] + b"\xff\xd9")
    inputs = ["empty.png", "missing.png", "text.png", "cut.png", "torn.jpg", "photo.png"]
    assert run(*inputs, "-m", nearest, "-o", "out") == 1
    out, err = capfd.readouterr()
    assert err.splitlines() == [
        "error: empty.png: the file is empty",
        "error: missing.png: no such file",
        f"error: text.png: not a picture ({READABLE} are read)",
        "error: cut.png: the PNG file is damaged or cut short",
        "error: torn.jpg: the JPEG file is damaged or cut short",
    ]
    assert out.startswith("out/photo_x4.png")
    assert files("out") == ["photo_x4.png"]


def test_failures_are_in_the_json_too(
    here: Path, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = run_json(capsys, "missing.png", "photo.png", "-m", nearest)
    assert code == 1
    failed, done = lines
    assert (done["status"], done["input"]) == ("done", "photo.png")
    assert failed == {
        "status": "failed",
        "input": "missing.png",
        "error": "missing.png: no such file",
    }


def test_a_folder_and_its_tree(here: Path, data: Path, nearest: str) -> None:
    tree = here / "album"
    (tree / "2026/may").mkdir(parents=True)
    shutil.copy(data / "pictures/grey.png", tree / "a.png")
    shutil.copy(data / "pictures/rgba.webp", tree / "2026/may/b.webp")
    (tree / "2026/.DS_Store").write_bytes(b"\0\0\0\1Bud1")
    assert run("album", "-r", "-m", nearest, "-o", "big", "--suffix", "", "-f", "webp") == 0
    written = sorted(str(path.relative_to(here / "big")) for path in (here / "big").rglob("*.*"))
    assert written == ["2026/may/b.webp", "a.webp"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tile", "32"), "made for tiles of 16, not 32"),
        (("--tile", "0"), "a tile has at least 1 pixel, not 0"),
        (("--overlap", "9"), "from 0 to half a tile (8 of 16), not 9"),
        (("--scale", "8.5"), "--scale: an enlargement lies from 1 to 8, not at 8.5"),
        (("--scale", "0.5"), "from 1 to 8, not at 0.5"),
        (("--scale", "2", "--width", "200"), "contradict each other"),
        (("--width", "100"), "photo.png: --width: a picture of 144x"),
        (("--width", "100"), "enlarged by 0.694, which is not from 1 to 8"),
        (("--size", "100x900"), "photo.png: --size: a picture of 144x"),
        (("--size", "9000x100"), "photo.png: --size: a picture of 144x"),
        (("--size", "200"), "not '200'\n  try: --size 1920x1080"),
        (("--backend", "torch"), "by name, not files"),
        (("--overwrite", "--skip-existing"), "contradict"),
        (("-o", "out.gif"), "not '.gif'\n  try: --output out.png"),
        (("-f", "gif"), "not '.gif'\n  try: --format png"),
        (("--suffix", "/../x"), "--suffix: names no folder, as '/../x' does"),
    ],
)
def test_options_that_do_not_fit(
    here: Path, nearest: str, capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...], message: str,
) -> None:  # fmt: skip
    assert run("photo.png", "-m", nearest, *arguments) == 1
    assert message in capfd.readouterr().err
    assert files() == ["photo.png"]


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"Dear diary", "not an ONNX")])
def test_a_model_that_is_none(
    here: Path, capfd: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    Path("model.onnx").write_bytes(content)
    assert run("photo.png", "-m", "model.onnx") == 1
    assert message in capfd.readouterr().err


def test_a_broken_network_writes_nothing(
    here: Path, make_nearest: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    model = make_nearest(then=("Mul", float("nan")))
    assert run("photo.png", "-m", model) == 1
    assert "tile 1 of 221 (rows 0 to 15, columns 0 to 15) has values" in capfd.readouterr().err
    assert files() == ["photo.png"]


def test_a_network_by_name_in_torch(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    options = ("-m", "bicubic", "-s", 2, "-t", 64, "--backend", "torch")
    code, lines = run_json(capsys, "photo.png", *options)
    assert code == 0
    (entry,) = lines
    assert (entry["backend"], entry["output"], entry["tiles"]) == ("torch", "photo_x2.png", 6)
    expected = cv2.resize(cv2.imread("photo.png"), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert np.abs(cv2.imread("photo_x2.png").astype(int) - expected).mean() < 1.0


def test_the_student_is_the_default_and_neither_torch_nor_onnx_is_imported(here: Path) -> None:
    code = (
        "import sys\n"
        "from edgesr.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "print({'torch', 'onnx', 'tensorrt', 'matplotlib'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, "upscale", "photo.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said, imported = done.stdout.splitlines()
    assert said.startswith("photo_x4.png  144x108 -> 576x432, 6 tiles, ")
    assert said.endswith("(student because PNG stores it without loss, onnxruntime)")
    assert imported == "set()"
