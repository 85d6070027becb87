"""An empty text where a name or a path belongs: said at once, nothing is read or written."""

from pathlib import Path
from typing import Any

import pytest
import typer

from edgesr.cli import app, main
from edgesr.cli._empty import MAY_BE_EMPTY

COMMANDS: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
TAKING = [
    (name, one)
    for name, command in COMMANDS.items()
    for one in command.params
    if not (getattr(one, "is_flag", False) or one.name in MAY_BE_EMPTY)
]


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*words])
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert not said.out
    first, second = said.err.splitlines()
    assert second.startswith("  try: give it a value")
    return first


@pytest.mark.parametrize(
    ("command", "one"), TAKING, ids=[f"{name}-{one.name}" for name, one in TAKING]
)
def test_every_option_and_input_says_that_it_is_empty(
    command: str, one: Any, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if one.param_type_name == "option":
        ways, named = [[option, ""] for option in one.opts], max(one.opts, key=len)
        ways.append([f"{named}="])
    else:
        ways, named = [["a", ""] if one.name == "second" else [""]], one.metavar
    for words in ways:
        assert refused(capsys, command, *words).startswith(f"error: {named}: it is empty")
    assert [path.name for path in here.iterdir()] == ["photo.png"]


def test_one_empty_picture_among_others(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "INPUT..." in refused(capsys, "upscale", "photo.png", "", "-m", "bicubic")
    assert "--model" in refused(capsys, "compare", "photo.png", "-m", "bicubic", "-m", "")
    assert [path.name for path in here.iterdir()] == ["photo.png"]
