"""Hints to export again name a network, or NETWORK where none is known, and lose no file."""

import ast
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.cli import main
from edgesr.weights import shipped

PACKAGE = Path(__file__).parents[2] / "edgesr"


def _texts() -> Iterator[str]:
    """Yield the texts of the product that are commands, values in them as `{}`."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
                ]
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_hint_names_a_network() -> None:
    hints = [text for text in _texts() if text.startswith("edgesr export ")]
    assert len(hints) > 5
    assert [hint for hint in hints if not hint.startswith("edgesr export -m ")] == []


def _said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == 1
    return capsys.readouterr().err


@pytest.mark.parametrize("command", [["upscale", "photo.png"], ["build-engine", "--board=rtx"]])
def test_a_file_of_another_program_is_not_to_be_written_over(
    command: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(shipped("bicubic", 4, "onnx"), here / "newer.onnx")
    said = _said(capsys, *command, "-m", "newer.onnx")
    assert "newer.onnx: there is no manifest beside it (newer.json)" in said
    assert "docs/manifests.md" in said
    assert " -o " not in said


def test_a_graph_that_is_not_what_its_manifest_says_names_the_network(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be of another program, under a manifest that somebody made up."""
    path = here / "m.onnx"
    model = onnx.load(shipped("bicubic", 4, "onnx"))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 32
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 32
    del model.graph.value_info[:]
    path.write_bytes(model.SerializeToString())
    manifest = shipped("bicubic", 4, "json").read_text()
    before = OnnxManifest.read(shipped("bicubic", 4, "onnx")).onnx_sha256
    now = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(manifest.replace(before, now))
    said = _said(capsys, "upscale", "photo.png", "-m", path)
    assert said.endswith("  try: edgesr export -m bicubic -s 4 --precision fp32\n")


def test_weights_for_a_model_say_how_they_become_one(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(shipped("espcn", 4, "safetensors"), here / "w.safetensors")
    said = _said(capsys, "upscale", "photo.png", "-m", "w.safetensors")
    assert "try: edgesr export -m NETWORK --weights w.safetensors" in said
