"""Which network a picture gets where none was named; files written by Pillow."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgesr.cli import main
from edgesr.imaging.picture import decode
from edgesr.runtime.sessions import CLEAN, LOSSY, Sessions, choose

PIXELS = np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8)

CASES = {
    "JPEG": ("JPEG", {"quality": 95}, True),
    "WebP with loss": ("WEBP", {"quality": 90}, True),
    "WebP without": ("WEBP", {"lossless": True}, False),
    "PNG": ("PNG", {}, False),
    "BMP": ("BMP", {}, False),
    "TIFF": ("TIFF", {"compression": "tiff_lzw"}, False),
    "TIFF with JPEG inside": ("TIFF", {"compression": "jpeg"}, True),
}


def stored(kind: str) -> bytes:
    name, options, _ = CASES[kind]
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, name, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", CASES)
def test_a_picture_that_lost_something_gets_the_network_for_that(kind: str) -> None:
    data = stored(kind)
    is_lossy = CASES[kind][2]
    with Image.open(io.BytesIO(data)) as image:  # Pillow's decoder: were the pixels changed?
        assert (np.asarray(image.convert("RGB")) != PIXELS).any() == is_lossy
    picture = decode(data)
    assert picture.lossy == is_lossy
    choice = choose(picture, 4)
    assert choice.model == (LOSSY if is_lossy else CLEAN)
    assert choice.reason is not None
    assert kind.split(maxsplit=1)[0] in choice.reason


def test_where_no_network_for_lossy_pictures_is_shipped_the_other_is_taken_and_named() -> None:
    choice = choose(decode(stored("JPEG")), 3)
    assert choice.model == CLEAN
    assert choice.reason == "because there is no photo for x3"


def test_the_command_says_which_and_why_and_m_decides_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "camera.jpg").write_bytes(stored("JPEG"))
    (tmp_path / "drawing.png").write_bytes(stored("PNG"))
    with pytest.raises(SystemExit) as done:
        main(["upscale", str(tmp_path), "--backend", "onnxruntime"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert "(photo because JPEG stores it with loss, onnxruntime)" in out
    assert "(student because PNG stores it without loss, onnxruntime)" in out
    camera = str(tmp_path / "camera.jpg")
    words = ["upscale", camera, "-m", "student", "--backend", "onnxruntime", "--suffix", "_s"]
    with pytest.raises(SystemExit):
        main([*words, "--json"])
    file = json.loads(capsys.readouterr().out)
    assert (file["model"], file["model_reason"]) == ("student", None)


def test_a_network_is_opened_once_and_only_when_a_picture_needs_it() -> None:
    with Sessions(None, "onnxruntime", 4, 1) as sessions:
        assert sessions.backends == {}
        first = sessions.session_for(decode(stored("PNG")))
        assert sessions.session_for(decode(stored("BMP"))).session is first.session
        assert sessions.backends == {CLEAN: "onnxruntime"}
        assert sessions.session_for(decode(stored("JPEG"))).session is not first.session
        assert sessions.backends == {CLEAN: "onnxruntime", LOSSY: "onnxruntime"}
