"""`edgesr compare` as users run it, with bicubic and a network that repeats every pixel."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgesr.cli import main
from edgesr.imaging.picture import read_picture
from edgesr.imaging.resize import imresize
from edgesr.weights import shipped_names

Maker = Callable[..., Path]


@pytest.fixture
def here(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a photograph in it."""
    shutil.copy(data / "photo.png", tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["compare", *map(str, arguments)])
    return int(exit_.value.code or 0)


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run(*arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def blank_out(canvas: np.ndarray, picture: np.ndarray) -> None:
    """Paint over the place where `picture` stands, pixel by pixel; fail if it is nowhere."""
    *_, (x, y), _ = cv2.minMaxLoc(cv2.matchTemplate(canvas, picture, cv2.TM_SQDIFF))
    place = canvas[y : y + picture.shape[0], x : x + picture.shape[1]]
    np.testing.assert_array_equal(place, picture)
    place[:] = 0


def test_the_sheet_holds_what_each_model_makes_of_the_part(
    here: Path, make_nearest: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    nearest = make_nearest()
    assert run("photo.png", "-m", nearest, "-m", "bicubic", "--crop", "30,20,80,40") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "80x40 pixels at 30,20 of 144x108, enlarged 4 times"
    assert out.splitlines()[-1] == "photo_compare.png"
    photo = read_picture(here / "photo.png").colour
    canvas = read_picture(here / "photo_compare.png").colour
    own = photo[20:60, 30:110].repeat(4, axis=0).repeat(4, axis=1)
    around = imresize(photo[4:76, 14:126], 4)
    blank_out(canvas, np.ascontiguousarray(around[64:224, 64:384]))
    blank_out(canvas, own)  # the photograph's own pixels
    blank_out(canvas, own)  # the same, made by the network


def test_json_tells_what_was_compared(
    here: Path, make_nearest: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    nearest = make_nearest(scale=2)
    assert run("photo.png", "-m", nearest, "-m", "bicubic", "-o", "page.html", "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["scale"] == 2
    assert document["crop"][2:] == [128, 96]
    assert [model["name"] for model in document["models"]] == ["nearest_x2.onnx", "bicubic"]
    assert all(0 < m["latency_ms"] / 1e3 <= m["photo_s"] + 1e-5 for m in document["models"])
    page = (here / "page.html").read_text("utf-8")
    assert page.count("data-image=") == 3
    assert "http://" not in page and "https://" not in page


@pytest.mark.parametrize(
    "name", ["palette_key.png", "rgba_16.png", "grey_16.png", "turned_exif_icc.jpg"]
)
def test_rare_pictures_are_compared_too(
    name: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = data / "pictures" / name
    assert run(photo, "-m", "bicubic", "-o", tmp_path / "sheet.png") == 0
    assert read_picture(tmp_path / "sheet.png").colour.dtype == np.uint8


def test_networks_without_weights_are_named_with_what_is_shipped(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = failure(capsys, "photo.png", *("-m", "esr-tm", "-m", "bicubic", "-m", "esr-tr"))
    assert "no weights come with edgesr for esr-tm, esr-tr" in error
    trained = [f"{name} x{scale}" for name, scale in shipped_names() if name != "bicubic"]
    assert f"shipped are {', '.join([*trained, 'bicubic (any)'])}" in error
    assert "try: -m" in error
    assert not (here / "photo_compare.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "none.png: no such file"),
        (["photo.png", "-o", "sheet.gif"], "pictures are written as"),
        (["photo.png", "-o", "sheet.gif"], "try: --output sheet.png"),
        (["photo.png", "-o", "none/sheet.png"], "the folder does not exist"),
        (["photo.png", "-o", "."], "pictures are written as"),
        (["photo.png", "--crop", "140,0,10,10"], "do not lie in the photo, which is 144x108"),
        (["photo.png", "-m", ""], "--model: it is empty"),
        (["photo.png", "-m", "none.onnx"], "none.onnx"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    arguments: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in failure(capsys, *arguments)
    assert [path.name for path in here.iterdir()] == ["photo.png"]


def test_two_scales_cannot_be_side_by_side(
    here: Path, make_nearest: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ("-m", make_nearest(scale=2), "-m", make_nearest(scale=4))
    error = failure(capsys, "photo.png", *both)
    assert "the models enlarge differently: nearest_x2.onnx x2, nearest_x4.onnx x4" in error


def test_a_part_too_large_to_look_at_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large.png"
    cv2.imwrite(str(large), np.zeros((1100, 1000, 3), np.uint8))
    error = failure(capsys, large, "-m", "bicubic", "--crop", "0,0,1000,1100")
    assert "the part becomes 4000x4400 pixels for each model; at most 17 megapixels" in error


def test_a_result_is_replaced_only_when_asked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "photo_compare.png").write_bytes(b"mine")
    assert "--overwrite" in failure(capsys, "photo.png", "-m", "bicubic")
    assert (here / "photo_compare.png").read_bytes() == b"mine"
    assert run("photo.png", "-m", "bicubic", "--overwrite") == 0
    assert read_picture(here / "photo_compare.png").width > 144
