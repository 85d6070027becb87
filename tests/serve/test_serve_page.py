"""The page in a real browser: a photo is dropped on it, before and after are compared and saved."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from chromium_page import CHROMIUM, Chromium
from gated_server import gated
from running_server import Running

from edgesr.serve.settings import ServerSettings

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="apt install chromium")

SIZES = {"desktop": (1280, 900, False), "phone": (390, 844, True)}


@pytest.fixture(params=["desktop", pytest.param("phone", marks=pytest.mark.long)])
def browser(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chromium]:
    width, height, touch = SIZES[request.param]
    profile = tmp_path_factory.mktemp("profile")
    with Chromium(profile, width, height, touch=touch) as chromium:
        yield chromium


def shown(browser: Chromium, name: str) -> bool:
    return bool(browser.evaluate(f"document.getElementById('{name}').checkVisibility()"))


def text(browser: Chromium, name: str) -> str:
    return str(browser.evaluate(f"document.getElementById('{name}').textContent"))


def drop(browser: Chromium, file: Path) -> None:
    """Drop a file and wait until there is a result or a failure."""
    browser.evaluate(
        "for (const id of ['result', 'failure']) document.getElementById(id).hidden = true"
    )
    browser.drop_at(file, 150, 250)
    browser.wait_for(
        "document.getElementById('work').hidden && !(document.getElementById('result').hidden"
        " && document.getElementById('failure').hidden)"
    )


def pixels(browser: Chromium, name: str) -> np.ndarray:
    """Return what an image of the page holds, (height, width, 4) RGBA, as browsers decode it."""
    browser.evaluate(
        f"const canvas_{name} = document.createElement('canvas');"
        f"{{ const image = document.getElementById('{name}');"
        f"  canvas_{name}.width = image.naturalWidth; canvas_{name}.height = image.naturalHeight;"
        f"  canvas_{name}.getContext('2d').drawImage(image, 0, 0); }}"
    )
    values = browser.evaluate(
        f"JSON.stringify([...canvas_{name}.getContext('2d')"
        f".getImageData(0, 0, canvas_{name}.width, canvas_{name}.height).data])"
    )
    width = browser.evaluate(f"canvas_{name}.width")
    return np.array(json.loads(values), np.uint8).reshape(-1, width, 4)


@pytest.mark.parametrize("browser", SIZES, indirect=True)
def test_drop_a_photo_and_compare(
    server: Running, browser: Chromium, data: Path, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{server.port}/"
    browser.visit(address)
    assert shown(browser, "ask")
    assert not shown(browser, "result")
    assert "The network esr-fast makes it 4 times" in browser.evaluate("document.body.innerText")

    drop(browser, data / "photo.png")
    assert shown(browser, "result")
    assert not shown(browser, "failure")
    assert text(browser, "name") == "photo.png"
    assert text(browser, "facts").startswith("144 \u00d7 108 \u2192 576 \u00d7 432, ")
    assert browser.evaluate("document.getElementById('save').download") == "photo_x4.png"

    answer = server.ask("POST", "/upscale", (data / "photo.png").read_bytes())
    expected = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(pixels(browser, "after")[:, :, 2::-1], expected)
    original = cv2.imread(str(data / "photo.png"))
    np.testing.assert_array_equal(pixels(browser, "before")[:, :, 2::-1], original)

    area = browser.evaluate(
        "document.getElementById('compare').scrollIntoView({block: 'center'}),"
        "JSON.parse(JSON.stringify(document.getElementById('compare').getBoundingClientRect()))"
    )
    browser.screenshot(tmp_path / "middle.png", whole=False)
    browser.press_at(area["left"] + 0.8 * area["width"], area["top"] + area["height"] / 2)
    browser.screenshot(tmp_path / "moved.png", whole=False)
    cut = browser.evaluate("getComputedStyle(document.getElementById('after')).clipPath")
    assert 70 < float(cut.split()[-1].rstrip("%)")) < 90
    middle, moved = (cv2.imread(str(tmp_path / name)) for name in ("middle.png", "moved.png"))
    top, left, width = (int(area[key]) for key in ("top", "left", "width"))
    rows = slice(max(top, 0) + 10, min(int(area["bottom"]), len(middle)) - 50)
    between = slice(left + int(0.57 * width), left + int(0.7 * width))
    assert (middle[rows, between] != moved[rows, between]).mean() > 0.3  # before, and after

    assert not browser.evaluate("document.documentElement.scrollWidth > innerWidth")
    browser.evaluate("document.querySelector('input[value=full]').click()")
    assert browser.evaluate("document.getElementById('compare').offsetWidth") == 576
    assert not browser.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert browser.problems == []
    asked = {request for request in browser.requests if not request.startswith(("data:", "blob:"))}
    assert asked == {address + path for path in ("", "page.css", "page.js", "upscale?format=png")}


def test_another_format_and_names_that_are_no_markup(
    server: Running, browser: Chromium, data: Path, tmp_path: Path
) -> None:
    browser.visit(f"http://127.0.0.1:{server.port}/")
    browser.evaluate("document.querySelector('input[value=webp]').click()")
    strange = tmp_path / "<img src=x onerror=alert(1)>.png"
    strange.write_bytes((data / "pictures/rgba.png").read_bytes())
    drop(browser, strange)
    assert text(browser, "name") == strange.name
    assert browser.evaluate("document.getElementById('save').download").endswith("_x4.webp")
    assert browser.evaluate("document.querySelectorAll('img').length") == 2
    assert browser.problems == []


def test_what_goes_wrong_is_said(server: Running, browser: Chromium, tmp_path: Path) -> None:
    browser.visit(f"http://127.0.0.1:{server.port}/")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    drop(browser, bad)
    assert shown(browser, "failure")
    kinds = "PNG, JPEG, WebP, TIFF, BMP, AVIF, HEIC and JPEG XL"
    assert text(browser, "what") == f"Not a picture ({kinds} are read)."
    assert text(browser, "next") == "Next: send another picture."
    requests = len(browser.requests)
    bad.write_bytes(os.urandom(600_000))
    drop(browser, bad)  # too large for this server: it is not even sent
    assert re.match(r"The photo has 600.kB, more than this server takes\.", text(browser, "what"))
    assert len(browser.requests) == requests
    assert not shown(browser, "result")


def test_a_picture_that_the_browser_cannot_show(
    server: Running, browser: Chromium, data: Path
) -> None:
    browser.visit(f"http://127.0.0.1:{server.port}/")
    drop(browser, data / "pictures/turned_icc.tiff")
    assert shown(browser, "result")
    assert "cannot show the picture that was sent" in text(browser, "notes")
    assert browser.evaluate("document.getElementById('after').naturalWidth") > 0


def test_a_photo_that_takes_too_long_can_be_cancelled(
    browser: Chromium, data: Path, tmp_path: Path
) -> None:
    with gated(ServerSettings()) as slow:
        browser.visit(f"http://127.0.0.1:{slow.port}/")
        browser.drop_at(data / "photo.png", 150, 250)
        slow.wait_until_taken(1)
        browser.wait_for("document.getElementById('doing').textContent.startsWith('Enlarging')")
        browser.screenshot(tmp_path / "working.png")
        browser.evaluate("document.getElementById('cancel').click()")
        slow.wait_until_taken(0)
        browser.wait_for("document.getElementById('work').hidden")
        assert not shown(browser, "failure")
        assert not shown(browser, "result")


def test_a_foreign_page_cannot_use_the_server(server: Running, tmp_path: Path) -> None:
    """A page from elsewhere in the same browser, without any protection of its own."""
    page = tmp_path / "evil.html"
    page.write_text("<!doctype html><title>evil</title>")
    with Chromium(tmp_path / "profile", 800, 600) as browser:
        browser.visit(page.as_uri())
        for path, options in (("upscale", "{method: 'POST', body: 'x'}"), ("metrics", "{}")):
            browser.evaluate(
                f"var done = ''; fetch('http://127.0.0.1:{server.port}/{path}', {options})"
                ".then(() => done = 'read', () => done = 'refused')"
            )
            browser.wait_for("done !== ''")
            assert browser.evaluate("done") == "refused"
        browser.evaluate(
            "var frame = document.createElement('iframe'), loaded = false;"
            f"frame.src = 'http://127.0.0.1:{server.port}/';"
            "frame.onload = () => loaded = true; document.body.append(frame)"
        )
        browser.wait_for("loaded")
        blocked = [problem for problem in browser.problems if "frame-ancestors" in problem]
        assert blocked
    assert "POST /upscale 403" in server.text()
