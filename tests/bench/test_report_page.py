"""report.html in a real browser: no network, no complaint in the console, a slider that moves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from chromium_page import CHROMIUM, Chromium
from recordings import model, pictures, recording

from edgesr.bench.raw_files import write_raw
from edgesr.bench.report import PAGE, write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="apt install chromium")


@pytest.fixture
def page(tmp_path: Path, data: Path) -> Path:
    """A report of two networks beside the control."""
    run = recording(rounds=2, window_s=3.0)
    run = replace(run, models=(*run.models, replace(model("teacher"), picture="student.png")))
    write_raw(tmp_path, run, pictures(data / "photo.png"))
    write_report(tmp_path)
    return tmp_path / PAGE


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile"), width=1280, height=900) as chromium:
        yield chromium


def test_the_page_in_chromium(page: Path, browser: Chromium, tmp_path: Path) -> None:
    browser.open(page)
    assert browser.problems == []
    assert [r for r in browser.requests if not r.startswith("data:")] == [page.as_uri()]
    sizes = "[...document.images].map(i => i.naturalWidth + 'x' + i.naturalHeight).join()"
    assert browser.evaluate(sizes) == "96x64,96x64"
    assert browser.evaluate("document.querySelectorAll('svg').length") == 2
    assert not browser.evaluate("document.documentElement.scrollWidth > innerWidth")

    cut = "getComputedStyle(document.getElementById('after')).clipPath"
    assert browser.evaluate(cut) == "inset(0px 0px 0px 50%)"
    browser.evaluate("document.getElementById('compare').scrollIntoView({block: 'center'})")
    box = "JSON.parse(JSON.stringify(document.getElementById('compare').getBoundingClientRect()))"
    area = browser.evaluate(box)
    middle = area["top"] + area["height"] / 2
    browser.screenshot(tmp_path / "middle.png", whole=False)
    browser.press_at(area["left"] + 0.8 * area["width"], middle)
    moved = float(browser.evaluate(cut).split()[-1].rstrip("%)"))
    assert 75 < moved < 85
    browser.screenshot(tmp_path / "moved.png", whole=False)

    before, after = (cv2.imread(str(tmp_path / name)) for name in ("middle.png", "moved.png"))
    top, left = int(area["top"]) + 20, int(area["left"])
    rows = slice(top, int(area["top"] + area["height"]) - 60)
    width = area["width"]
    between = slice(left + int(0.55 * width), left + int(0.72 * width))
    outside = slice(left + int(0.9 * width), left + int(0.98 * width))
    assert (before[rows, between] != after[rows, between]).mean() > 0.3
    assert (before[rows, outside] == after[rows, outside]).all()


def test_the_picture_on_the_right_can_be_chosen(page: Path, browser: Chromium) -> None:
    browser.open(page)
    name = "document.getElementById('after-name').textContent"
    assert browser.evaluate(name) == "student"
    browser.evaluate("document.querySelector('input[value=teacher]').click()")
    assert browser.evaluate(name) == "teacher"
    assert browser.problems == []
