"""The processor time of ONNX files, side by side."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.scan import files
from edgesr.files import sha256
from edgesr.weights import shipped


def test_every_file_has_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network is not as fast as one with a tenth of its operations, whatever else runs."""
    paths = [shipped(name, 4, "onnx") for name in ("esr-fast", "fsrcnn")]
    output = tmp_path / "files.json"
    monkeypatch.setattr(
        sys, "argv", ["files", *map(str, paths), "--runs", "5", "--output", str(output)]
    )
    files.main()
    small, large = json.loads(output.read_text())["rows"]
    assert [row["onnx_sha256"] for row in (small, large)] == [sha256(path) for path in paths]
    assert small["ratio"] == 1 < large["ratio"]
    assert large["cpu_ms"] > small["cpu_ms"] > 0


def test_what_is_no_onnx_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"\xff" * 100)
    monkeypatch.setattr(sys, "argv", ["files", str(path), "--output", str(tmp_path / "o.json")])
    with pytest.raises(SystemExit, match=r"a\.onnx: one is not an ONNX file"):
        files.main()
    assert not (tmp_path / "o.json").exists()
