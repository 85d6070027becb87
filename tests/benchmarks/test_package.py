"""benchmarks/ as a package: all of it imports, commands answer, and the product stays as it is."""

import ast
import importlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
from optional_packages import missing, reason

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "benchmarks"
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 300

ELSEWHERE = {"benchmarks.precision.int8_modelopt": "ModelOpt's own environment runs it"}
NO_COMMANDS = {
    *ELSEWHERE,
    "benchmarks.hostile.children",  # answers requests that come on standard input
    "benchmarks.live.tap",  # is started in the place of another program
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = [name for name in map(name_of, FILES) if name not in ELSEWHERE]
COMMANDS = [
    name
    for path in FILES
    if '__name__ == "__main__"' in path.read_text() and (name := name_of(path)) not in NO_COMMANDS
]


def imported(name: str) -> ModuleType:
    """Import a script; the test ends as skipped where a package of an extra is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (package := missing(error)) is None:
            raise
        pytest.skip(reason(package))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports(name: str) -> None:
    imported(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = imported(name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")


def test_a_folder_of_results_has_its_folder_of_scripts() -> None:
    questions = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert len(questions) > 10
    assert {path.name for path in (PACKAGE / "results").iterdir()} <= questions
    readme = (PACKAGE / "README.md").read_text()
    assert all(f"| [{name}/](" in readme for name in questions)


def test_no_file_is_long() -> None:
    lines = {name_of(path): path.read_text().count("\n") for path in FILES}
    assert [name for name, count in lines.items() if count > MOST_LINES] == []


def changes(source: str) -> Iterator[str]:
    """Yield what a script sets in modules of edgesr: by assignment, deletion, setattr or a mock."""
    tree = ast.parse(source)
    modules = set(_modules(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            if _root(node) in modules:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).split(".")
            first = node.args[0]
            named = isinstance(first, ast.Constant) and str(first.value).startswith("edgesr")
            if {"setattr", "delattr", "patch", "object"} & set(called) and (
                named or _root(first) in modules
            ):
                yield ast.unparse(node)


def _modules(tree: ast.Module) -> Iterator[str]:
    """Yield the names under which a script has modules of edgesr."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "edgesr":
                    yield alias.asname or "edgesr"
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("edgesr"):
            for alias in node.names:
                if _is_module(f"{node.module}.{alias.name}"):
                    yield alias.asname or alias.name


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_script_changes_a_module_of_the_product(path: Path) -> None:
    assert list(changes(path.read_text())) == []


@pytest.mark.parametrize(
    "script",
    [
        "from edgesr.export import int8\nint8.METHOD = 'Entropy'\n",
        "from edgesr.export import int8\nbefore, int8.METHOD = int8.METHOD, 'Entropy'\n",
        "import edgesr.export.fp16\nedgesr.export.fp16.ISLANDS |= {'Conv'}\n",
        "import edgesr.export.fp16 as half\ndel half.ISLANDS\n",
        "def f():\n    from edgesr.engine import find\n    setattr(find, 'first_gpu', None)\n",
        "from edgesr.engine import find\npatch.setattr(find, 'first_gpu', None)\n",
        "from edgesr.models import mamba\nmock.patch.object(mamba, 'fused_available', None)\n",
        "mock.patch('edgesr.models.mamba.fused_available')\n",
    ],
)
def test_such_a_change_is_found(script: str) -> None:
    assert len(list(changes(script))) == 1


def test_what_is_no_module_may_be_changed() -> None:
    script = (
        "from edgesr.models.mamba import Mamba\nlayer = Mamba(8, 2, None)\nlayer.fuse = False\n"
    )
    assert list(changes(script)) == []
