"""Commands on any page name what there is: programs, options, scripts and files.

This holds for those too that test_docs.py cannot run, because they need a board, a GPU or hours.
"""

import re
import shlex
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
import test_docs
import typer
from documents import OTHERS, PROMPTED, ROOT, blocks, commands, pages

from edgesr.boards.board import get_board
from edgesr.cli import app

LINES = sorted({line for page in pages() for line in commands(page)})
ENGINE = re.compile(r".+_x\d(_fp32|_fp16|_int8)_b\d+\.(?P<board>[a-z0-9-]+)\.engine")


def words_of(line: str) -> list[str]:
    """Return the words of a command without what stands before its program."""
    words = shlex.split(line, comments=True)
    while words and ("=" in words[0] or words[0] in ("sudo", "export")):
        words.pop(0)
    return words


@cache
def options_of(command: str) -> set[str]:
    """Return the options of an edgesr command."""
    group = typer.main.get_command(app)
    found = group.get_command(None, command)  # type: ignore[attr-defined, arg-type]
    assert found is not None, f"edgesr has no command {command}"
    return {name for p in found.params for name in (*p.opts, *p.secondary_opts)} | {"--help"}


@cache
def sources_of(script: Path) -> str:
    """Return the text of a module of benchmarks/ and of all that it imports from there.

    Asking each for `--help` would say the same, but takes minutes, since many import PyTorch.
    """
    inside = (script / "__main__.py", script / "__init__.py")
    text = next(file for file in (*inside, script.with_suffix(".py")) if file.is_file()).read_text()
    for name in re.findall(r"^\s*from (benchmarks\.[\w.]+) import", text, re.MULTILINE):
        text += sources_of(ROOT / name.replace(".", "/"))
    return text


def options_in(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_fence_says_what_it_holds(page: Path) -> None:
    assert {language for language, _ in blocks(page)} <= {*PROMPTED, *OTHERS}


@pytest.mark.parametrize("line", [line for line in LINES if words_of(line)[:1] == ["edgesr"]])
def test_options_of_edgesr_exist(line: str) -> None:
    _, *words = words_of(line)
    at = next(i for i, word in enumerate(words) if word in COMMANDS)  # options of all come before
    assert options_in(words[at + 1 :]) <= options_of(words[at])


COMMANDS = typer.main.get_command(app).list_commands(None)  # type: ignore[attr-defined, arg-type]


@pytest.mark.parametrize(
    "line", [line for line in LINES if line.startswith("python -m benchmarks")]
)
def test_options_of_scripts_exist(line: str) -> None:
    _, _, module, *words = words_of(line)
    text = sources_of(ROOT / module.replace(".", "/"))
    for option in options_in(words):
        assert f'"{option}"' in text, option


@pytest.mark.parametrize("line", LINES)
def test_files_of_the_repository_exist(line: str) -> None:
    for word in words_of(line):
        if re.match(r"(benchmarks|docs|edgesr|jetson|tests)/", word):
            assert (ROOT / word).exists(), word


TO_BE_WRITTEN = {"edgesr/models/pocket.py"}
"""Of docs/adding-a-network.md, whose reader writes it."""


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_sentences_name_exist(page: Path) -> None:
    rooms = "benchmarks|docs|edgesr|jetson|tests"
    text = " ".join(re.findall(r"`([^`\n]+)`", page.read_text()))
    named = re.findall(rf"(?<![\w/.~$-])((?:{rooms})/[\w./*-]+)", text)
    missing = [name for name in named if not list(ROOT.glob(name.rstrip("./")))]
    assert set(missing) <= TO_BE_WRITTEN


MADE_UP = {"tests/test_order.py", "tests/test_expected_skips.py", "tests/test_docs_names.py"}
"""Sources that name files which need not be there."""


def test_files_that_sources_name_exist() -> None:
    """In docstrings and comments; what a benchmark writes under benchmarks/results may come yet."""
    rooms = "benchmarks/(?!results/)|edgesr/|jetson/|tests/"
    sources = [path for room in ("benchmarks", "edgesr", "tests") for path in sources_in(room)]
    missing = {
        (source, name)
        for source in sources
        for name in re.findall(
            rf"(?<![\w/.~$-])((?:{rooms})[\w./-]+\.(?:py|toml|sh|cuh?|md|xz)\b)",
            (ROOT / source).read_text("utf-8"),
        )
        if not (ROOT / name).exists()
    }
    assert len(sources) > 500
    assert missing == set()


def sources_in(room: str) -> list[str]:
    """Return the Python files of a folder, by their places in the repository."""
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / room).rglob("*.py")}
    return sorted(found - MADE_UP)


def test_engines_are_named_as_they_are_built() -> None:
    """build-engine names them so (`edgesr.engine.build.default_output`); capitals stand for any."""
    lines = [line for line in LINES if words_of(line)[:1] == ["edgesr"]]
    found = [re.findall(r"\S+\.engine\b", line) for line in lines]
    names = [name for name in chain(*found) if not re.fullmatch(r"[A-Z_]+\.engine", name)]
    assert names
    for name in names:
        assert name.startswith("~/.local/share/edgesr/engines/"), name
        matched = ENGINE.fullmatch(Path(name).name)
        assert matched is not None, name
        assert get_board(matched["board"]).name == matched["board"]


def test_what_runs_elsewhere_is_named_once_and_is_there() -> None:
    lines = [shlex.join(words) for line in LINES if (words := shlex.split(line, comments=True))]
    for start, reason in test_docs.ELSEWHERE.items():
        assert any(line.startswith(start) for line in lines), f"no page has {start}"
        for path in re.findall(r"tests/\S+", reason):
            assert (ROOT / path.rstrip(",;")).exists(), path
