"""TRAINING.md as it is committed says what the committed results say."""

import re
from pathlib import Path

from benchmarks.training.page import blocks, figures
from benchmarks.training.plan import Plan

ROOT = Path(__file__).parents[2] / "benchmarks"
PAGE, RESULTS = (ROOT / "TRAINING.md").read_text(), ROOT / "results"
AGAIN = "python -m benchmarks.training.tables render"


def test_every_block_is_made_from_the_results() -> None:
    made = blocks(RESULTS, Plan())
    for name, content in made.items():
        block = re.search(f"<!-- {name} -->\n(.*?)<!-- end of {name} -->", PAGE, re.DOTALL)
        assert block is not None, f"the mark of {name} is gone"
        assert block[1] == content, AGAIN
    assert set(re.findall(r"<!-- (?!end of )(\S+) -->", PAGE)) == set(made)


def test_every_figure_is_made_from_the_results() -> None:
    for name, drawing in figures(RESULTS, Plan()).items():
        path = RESULTS / name
        assert (path.read_text() if path.exists() else None) == drawing, AGAIN


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (ROOT / target).exists(), target
