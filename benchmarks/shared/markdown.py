"""Tables and sentences in Markdown, and the parts of a page that are made from results. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edgesr.bench.text import NONE


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Return a table; columns after the first `words` are flush right."""
    lines = [header, ["---"] * words + ["---:"] * (len(header) - words), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fill_blocks(text: str, pages: Mapping[str, str]) -> str:
    """Replace what stands between `<!-- NAME -->` and `<!-- end of NAME -->`.

    Args:
        text: of a document.
        pages: name of a result -> what belongs there.
    """
    for name, content in pages.items():
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
        text = pattern.sub(lambda _: f"{start}\n{content}{end}", text)  # noqa: B023
    return text


def score_cell(scores: dict[str, Any] | None) -> str:
    """Return PSNR and SSIM of a set, a dash for None."""
    return NONE if scores is None else f"{scores['psnr_y_db']:.2f} / {scores['ssim_y']:.3f}"


def listed(names: Sequence[str]) -> str:
    """Return the names as a sentence has them: a, b and c."""
    *others, last = names or ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last
