"""One meaning for one name: no two classes of edgesr/ are called the same."""

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
