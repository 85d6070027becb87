"""The order of the rooms of edgesr/: no import goes back up, and no two files import each other.

Read from the sources as Python's `ast` sees them, so that an import counts wherever it stands: at
the head of a file, in a function, under `TYPE_CHECKING`. A made-up tree with an import turned round
shows that such a thing is found.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ORDER = (
    "errors",
    "version",
    "files",
    "decode",
    "onnx_runtime",
    "text_table",
    "imaging",
    "pages",
    "scan",
    "weights",
    "models",
    "artifacts",
    "boards",
    "export",
    "engine",
    "runtime",
    "evaluate",
    "train",
    "power",
    "bench",
    "compare",
    "sweep",
    "live",
    "video",
    "serve",
    "verify",
    "doctor",
    "library",
    "cluster",
    "cli",
    "__main__",
)
"""A room, or a file beside the rooms, imports from those above it here and from itself."""

PACKAGE = Path(__file__).parents[1] / "edgesr"

Imports = Mapping[str, frozenset[str]]
"""Module -> the modules of the same package that it imports."""


def read_imports(package: Path) -> Imports:
    """Return what each module of a package imports from it, by full names."""
    modules = {_name(package, path): path for path in package.rglob("*.py")}
    return {
        name: frozenset(_imported(name, path, modules)) - {name} for name, path in modules.items()
    }


def _name(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    home = name if path.stem == "__init__" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = home.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            wanted = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for dotted in wanted:
            if dotted in modules:
                yield dotted
            elif dotted.rpartition(".")[0] in modules:  # something defined in that module
                yield dotted.rpartition(".")[0]


def arrows_back(imports: Imports, order: tuple[str, ...]) -> list[str]:
    """Return the imports from a room that stands below the importing one in the order."""
    place = {room: number for number, room in enumerate(order)}
    return sorted(
        f"{importer} imports {imported}"
        for importer, others in imports.items()
        for imported in others
        if "." in importer and place[_room(imported)] > place[_room(importer)]
    )


def _room(module: str) -> str:
    """Return the room of a module; the package's own name is that of what it hands out."""
    return module.split(".")[1] if "." in module else "__main__"


def circle(imports: Imports) -> list[str]:
    """Return modules each of which imports the next, and the last the first; none: no circle."""
    try:
        TopologicalSorter({name: sorted(others) for name, others in imports.items()}).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def test_every_room_has_its_place_in_the_order() -> None:
    beside = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(ORDER) == sorted(beside | rooms)


def test_no_import_goes_back_up() -> None:
    imports = read_imports(PACKAGE)
    assert sum(map(len, imports.values())) > len(imports)  # they were read at all
    assert arrows_back(imports, ORDER) == []


def test_no_two_files_import_each_other() -> None:
    assert circle(read_imports(PACKAGE)) == []


def _tree(folder: Path, files: Mapping[str, str]) -> Path:
    package = folder / "house"
    for name, text in {"__init__.py": "", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    return package


SOUND = {
    "cellar/wine.py": "import os\n",
    "hall/door.py": "from house.cellar.wine import bottle\n",
    "hall/bell.py": "def ring():\n    from . import door\n",
}


def test_a_sound_tree_passes(tmp_path: Path) -> None:
    imports = read_imports(_tree(tmp_path, SOUND))
    assert imports["house.hall.door"] == {"house.cellar.wine"}
    assert imports["house.hall.bell"] == {"house.hall.door"}
    assert arrows_back(imports, ("cellar", "hall")) == []
    assert circle(imports) == []


@pytest.mark.parametrize(
    "arrow",
    [
        "from house.hall.door import knob\n",
        "from house.hall import door\n",
        "import house.hall.door\n",
        "import house.hall.door as entrance\n",
        "from ..hall.door import knob\n",
        "from ..hall import door\n",
        "def drink():\n    from house.hall.door import knob\n",
        "class Bottle:\n    if True:\n        import house.hall.door\n",
        "if TYPE_CHECKING:\n    from house.hall.door import knob\n",
    ],
)
def test_an_arrow_that_is_turned_round_is_found(tmp_path: Path, arrow: str) -> None:
    imports = read_imports(_tree(tmp_path, {**SOUND, "cellar/wine.py": arrow}))
    found = arrows_back(imports, ("cellar", "hall"))
    assert found == ["house.cellar.wine imports house.hall.door"]
    # `wine` and `door` now import each other
    assert set(circle(imports)) == {"house.cellar.wine", "house.hall.door"}


def test_a_circle_within_a_room_is_found(tmp_path: Path) -> None:
    inside = {"hall/door.py": "def open():\n    from house.hall.bell import ring\n"}
    imports = read_imports(_tree(tmp_path, {**SOUND, **inside}))
    assert arrows_back(imports, ("cellar", "hall")) == []
    assert set(circle(imports)) == {"house.hall.door", "house.hall.bell"}


def test_an_import_of_the_whole_package_is_an_arrow_back(tmp_path: Path) -> None:
    imports = read_imports(_tree(tmp_path, {**SOUND, "cellar/wine.py": "import house\n"}))
    order = ("cellar", "hall", "__main__")
    assert arrows_back(imports, order) == ["house.cellar.wine imports house"]
