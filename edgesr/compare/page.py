"""A comparison as one HTML page with everything in it, that needs no network. Pure."""

from html import escape
from importlib.resources import files
from string import Template

from edgesr.compare.panels import INPUT, Panel, PhotoComparison
from edgesr.compare.sheet import framed
from edgesr.compare.text import ONCE, seconds, under
from edgesr.evaluate.model import CONTROL
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import Picture
from edgesr.pages.slider import SCRIPT, STYLE, Shown, slider
from edgesr.pages.style import PAGE_STYLE

_OVERVIEW = (420, 320)
_NARROW = 520  # narrower pictures are shown at twice their size, pixel by pixel


def page(comparison: PhotoComparison, name: str) -> str:
    """Return the page.

    Args:
        comparison: what is shown.
        name: of the photograph.
    """
    shown = {panel.name: _shown(panel) for panel in comparison.panels}
    left = shown[CONTROL if CONTROL in shown else INPUT]
    networks = [item for key, item in shown.items() if key not in (INPUT, left.name)]
    right = [*networks, *(item for item in shown.values() if item not in networks)]
    width = comparison.panels[0].picture.width
    zoom = 2 if width < _NARROW else 1
    overview = framed(comparison.photo.colour, comparison.crop, *_OVERVIEW)
    photo = Shown(name, _png(Picture(overview, icc=comparison.photo.icc)))
    template = (files(__package__) / "page.html").read_text("utf-8")
    return Template(template).substitute(
        title=escape(f"edgesr compare: {name}"),
        page_style=PAGE_STYLE,
        slider_style=STYLE,
        width=zoom * width,
        rendering="pixelated" if zoom > 1 else "auto",
        heading=escape(f"{name}, side by side"),
        under=escape(under(comparison)),
        slider=slider(left, right, choose_left=True),
        overview=photo.image,
        overview_name=escape(f"{name} with the compared part framed"),
        rows="\n".join(_row(panel) for panel in comparison.panels),
        footer=escape(ONCE),
        slider_script=SCRIPT,
    )


def _shown(panel: Panel) -> Shown:
    return Shown(panel.name, _png(panel.picture))


def _png(picture: Picture) -> bytes:
    data, _ = encode(picture, format_for(".png"))
    return data


def _row(panel: Panel) -> str:
    times = ["-", "-"]
    if panel.latency_ms is not None and panel.photo_s is not None:
        times = [seconds(panel.latency_ms / 1e3), seconds(panel.photo_s)]
    cells = "".join(f"<td>{escape(text)}</td>" for text in times)
    run = f'<td class="words">{escape(panel.run)}</td>'
    return f"<tr><th>{escape(panel.name)}</th>{cells}{run}</tr>"
