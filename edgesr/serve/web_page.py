"""The page for people: a photo dropped on it is shown before and after, with a slider. Pure."""

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import Template

import numpy as np

from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.limits import max_megapixels
from edgesr.imaging.picture import Picture
from edgesr.pages.slider import SCRIPT, STYLE, Shown, slider
from edgesr.pages.svg import COLOURS
from edgesr.serve.settings import ServerSettings
from edgesr.serve.worker import NetworkReport

_HERE = files(__package__) / "page"


def page_files(
    network: NetworkReport, settings: ServerSettings
) -> Iterator[tuple[str, bytes, str]]:
    """Yield (path, content, media type) of the files that make up the page.

    The slider is that of `edgesr compare`; script and style are files of their own, because the
    page allows none within itself.

    Args:
        network: what runs, to be named.
        settings: limits, to be named.
    """
    nothing = _transparent_pixel()  # where the page puts its pictures in
    html = Template(_text("page.html")).substitute(
        model=escape(network.model),
        scale=network.scale,
        max_bytes=settings.max_body_bytes,
        megabytes=f"{settings.max_body_bytes / 1e6:g}",
        megapixels=f"{max_megapixels():g}",
        slider=slider(Shown("before", nothing), [Shown("after", nothing)]),
    )
    yield "/", html.encode(), "text/html"
    yield "/page.css", (COLOURS + STYLE + _text("page.css")).encode(), "text/css"
    yield "/page.js", (SCRIPT + _text("page.js")).encode(), "text/javascript"


def _text(name: str) -> str:
    return (_HERE / name).read_text("utf-8")


def _transparent_pixel() -> bytes:
    black = np.zeros((1, 1, 3), np.uint8)
    data, _ = encode(Picture(black, alpha=black[:, :, 0]), format_for(".png"))
    return data
