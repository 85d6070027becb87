"""One meaning for one name: no two classes of edgesr/ are called the same, and few functions."""

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "edgesr"


def test_no_two_classes_are_called_the_same() -> None:
    names = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert len(names) > 200  # they were read at all
    assert [name for name, count in names.items() if count > 1] == []


SAME_MEANING = {
    "check_fits": "whether a result can be written, before the work: of a picture, of what moves",
    "command": "the one function of each module of cli/, by which it becomes a command",
    "compute": "figures of a recording: of a bench, of a sweep",
    "enlarge": "one picture, in the process of the server and on a machine of a cluster",
    "main": "the beginning of a program",
    "page": "the HTML page of a bench, a sweep, a comparison",
    "prepare": "all that can be done before the work that its module is about",
    "run": "does the work that its module is about",
    "summary": "the lines that a terminal shows of a bench, of a sweep",
    "text_width": "pixels that letters take: in a drawn label, in an SVG",
    "upscale": "edgesr.upscale, and what all ways to it end in",
}
"""Names of functions that more than one module has, and what all of them do."""


def test_functions_that_are_called_the_same_do_the_same() -> None:
    modules = [ast.parse(path.read_text("utf-8")).body for path in PACKAGE.rglob("*.py")]
    names = Counter(
        name
        for module in modules
        for name in {node.name for node in module if isinstance(node, ast.FunctionDef)}
        if not name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == set(SAME_MEANING)
