"""The page of a comparison in a real browser: both sides can be chosen, and the slider moves."""

from pathlib import Path

import numpy as np
import pytest
from chromium_page import CHROMIUM, Chromium

from edgesr.compare.crop import Crop
from edgesr.compare.page import page
from edgesr.compare.panels import Panel, PhotoComparison
from edgesr.imaging.picture import Picture
from edgesr.pages.slider import Shown, slider


def painted(red: int) -> Picture:
    return Picture(np.full((96, 128, 3), (red, 90, 90), np.uint8))


PANELS = (
    Panel("input", "the photograph's own pixels", painted(0), None, None),
    Panel("student", "onnxruntime", painted(100), 40.0, 3.2),
    Panel("a<b&c.onnx", "onnxruntime", painted(200), 4.0, 0.32),
    Panel("bicubic", "MATLAB's imresize", painted(250), 1.0, 0.08),
)


@pytest.fixture
def document() -> str:
    photo = Picture(np.full((60, 80, 3), 128, np.uint8))
    return page(PhotoComparison(photo, Crop(4, 4, 32, 24), 4, PANELS), "me & <you>.jpg")


def test_names_are_written_out_and_nothing_is_left_open(document: str) -> None:
    assert "<h1>me &amp; &lt;you&gt;.jpg, side by side</h1>" in document
    assert "a&lt;b&amp;c.onnx" in document
    assert "a<b" not in document
    assert "$" not in document.replace("${", "")
    assert "about 320 ms" not in document  # times stand in cells, without words
    assert "<td>4 ms</td><td>320 ms</td>" in document


def test_one_picture_needs_no_choice() -> None:
    html = slider(Shown("before", b"1"), [Shown("after", b"2")])
    assert "radio" not in html
    assert 'alt="after"' in html


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_person_can_choose_both_sides_and_move_the_slider(document: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(document, "utf-8")
    with Chromium(tmp_path / "profile", 1000, 800) as browser:
        browser.open(file)
        read = browser.evaluate
        assert read("document.getElementById('before-name').textContent") == "bicubic"
        assert read("document.getElementById('after-name').textContent") == "student"
        right = read("document.getElementById('after').src")
        read("document.querySelector('input[name=left][value=student]').click()")
        assert read("document.getElementById('before').src") == right
        read("document.querySelectorAll('input[name=model]')[1].click()")
        assert read("document.getElementById('after-name').textContent") == "a<b&c.onnx"
        assert read("document.getElementById('after').src") != right
        read(
            "document.getElementById('slider').value = 25;"
            "document.getElementById('slider').dispatchEvent(new Event('input'))"
        )
        clip = read("getComputedStyle(document.getElementById('after')).clipPath")
        assert clip.endswith("25%)")
        assert read("document.getElementById('after').naturalWidth") == 128
        assert browser.problems == []
        assert [address for address in browser.requests if not address.startswith("data:")] == [
            file.resolve().as_uri()
        ]
