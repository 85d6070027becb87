"""The commands and tables of docs/jetson.md and docs/manifests.md, against the code."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.board import get_board
from edgesr.cli import app

ROOT = Path(__file__).parents[2]
JETSON = (ROOT / "docs" / "jetson.md").read_text()
MANIFESTS = (ROOT / "docs" / "manifests.md").read_text()


def commands():
    blocks = re.findall(r"```console\n(.*?)```", JETSON, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("edgesr ")]


@pytest.mark.parametrize("words", commands(), ids=lambda words: words[1])
def test_every_edgesr_command_exists_with_its_options(words):
    group = typer.main.get_command(app)
    command = group.get_command(None, words[1])
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


def test_the_options_of_the_script_are_its_own():
    script = (ROOT / "jetson" / "setup.sh").read_text()
    lines = [line for line in JETSON.splitlines() if line.startswith("jetson/setup.sh")]
    assert lines
    for option in re.findall(r"--[a-z-]+", " ".join(lines)):
        assert option in script


def test_the_table_of_modes_is_the_boards():
    for mode in get_board("jetson-orin-nano-8gb").power_modes:
        clocks = f"| {mode.cpu_cores} x {mode.cpu_mhz:,} MHz"
        (row,) = [line for line in JETSON.splitlines() if line.startswith(f"| `{mode.option}` |")]
        assert f"| {mode.id} {clocks}" in row
        assert f"| {mode.gpu_mhz:,} MHz" in row
        assert f"| {mode.emc_mhz:,} MHz" in row


@pytest.mark.parametrize("manifest", [OnnxManifest, EngineManifest])
def test_every_field_of_a_manifest_is_explained(manifest):
    for field in fields(manifest):
        if field.name not in {"format", "edgesr"}:
            assert f"`{field.name}`" in MANIFESTS
