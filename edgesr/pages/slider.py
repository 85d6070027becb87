"""Two pictures in one place, with a slider between them: a piece of HTML that needs no network.

A page holds one slider. It puts `STYLE` into its style sheet, where the variables `--accent`,
`--line` and `--soft` are colours, and `SCRIPT` behind its last element.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

_HERE = files(__package__)
STYLE = (_HERE / "slider.css").read_text("utf-8")
SCRIPT = (_HERE / "slider.js").read_text("utf-8")


@dataclass(frozen=True)
class Shown:
    """A picture with its name.

    Attributes:
        name: what it is called; no two of a slider are equal.
        png: content of its file.
    """

    name: str
    png: bytes

    @property
    def image(self) -> str:
        """The picture as a data URI."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


def slider(left: Shown, right: Sequence[Shown], choose_left: bool = False) -> str:
    """Return the slider as HTML.

    Args:
        left: picture on the left; one of `right` if it can be chosen.
        right: pictures that can be on the right, that of the beginning first; buttons choose.
        choose_left: whether buttons choose the left picture among the same.
    """
    first = right[0]
    rows = []
    if choose_left:
        buttons = (_button("left", shown.name, "", shown == left) for shown in right)
        rows.append(_row("left", buttons))
    if len(right) > 1:
        buttons = (
            _button("model", shown.name, f' data-image="{shown.image}"', shown == first)
            for shown in right
        )
        rows.append(_row("right" if choose_left else "", buttons))
    before, after = escape(left.name), escape(first.name)
    return "\n".join(
        [
            *rows,
            '<div class="compare" id="compare">',
            f'<img class="before" id="before" alt="{before}" src="{left.image}">',
            f'<img class="after" id="after" alt="{after}" src="{first.image}">',
            '<div class="edge"></div>',
            f'<span class="tag l" id="before-name">{before}</span>'
            f'<span class="tag r" id="after-name">{after}</span>',
            '<input type="range" id="slider" min="0" max="100" step="0.1" value="50"',
            f' aria-label="share of the picture that is {before if not choose_left else "left"}">',
            "</div>",
        ]
    )


def _row(name: str, buttons: Iterable[str]) -> str:
    label = f"<span>{name}</span>" if name else ""
    return f'<div class="choose">{label}{"".join(buttons)}</div>'


def _button(group: str, value: str, data: str, checked: bool) -> str:
    mark = " checked" if checked else ""
    name = escape(value)
    return f'<label><input type="radio" name="{group}" value="{name}"{data}{mark}>{name}</label>'
