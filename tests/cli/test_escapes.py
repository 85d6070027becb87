"""Texts of strangers on the terminal: shown as they are written in Python, never obeyed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgesr.weights import shipped

EVIL = "\x1b]0;title\x07\x1b[31m[red]\u202e"
SHOWN = r"\x1b]0;title\x07\x1b[31m[red]\u202e"
PHOTO = Path(__file__).parents[1] / "data/photo.png"


def edgesr(folder: Path, *command: str, code: int = 1) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == code
    assert "Traceback" not in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
    return said


def test_names_in_a_manifest(tmp_path: Path) -> None:
    onnx = shipped("esr-fast", 4, "onnx")
    (tmp_path / "m.onnx").write_bytes(onnx.read_bytes())
    fields = json.loads(onnx.with_suffix(".json").read_text())
    (tmp_path / "m.json").write_text(json.dumps(fields | {EVIL: 1}))
    said = edgesr(tmp_path, "upscale", str(PHOTO), "-m", "m.onnx", "-o", "x.png")
    assert f"unknown field `{SHOWN}`" in said


def test_the_manifest_of_an_engine_that_nobody_named(tmp_path: Path) -> None:
    (tmp_path / "engines").mkdir()
    (tmp_path / f"engines/{EVIL}.engine").write_bytes(b"x")
    (tmp_path / f"engines/{EVIL}.engine.json").write_text(json.dumps({EVIL: 1}))
    said = edgesr(tmp_path, "upscale", str(PHOTO), "-o", "x.png", code=0)
    assert f"note: skipped: engines/{SHOWN}.engine.json" in said


def test_keys_of_weights(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from edgesr.models.registry import get_network

    state = dict(get_network("esr-fast").module(4).state_dict())
    save_file(state | {EVIL: torch.zeros(1)}, tmp_path / "w.safetensors")
    command = ("export", "--model", "esr-fast", "--weights", "w.safetensors", "-o", "m.onnx")
    assert SHOWN in edgesr(tmp_path, *command)


def test_run_json(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text(json.dumps({"format": "edgesr-bench/1", EVIL: 1}))
    edgesr(tmp_path, "report", "run")
