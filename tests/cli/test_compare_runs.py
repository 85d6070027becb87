"""`edgesr compare-runs`: two folders of `edgesr bench` side by side."""

import json
from pathlib import Path
from typing import Any

import pytest
from benching import bench

from edgesr.cli import main


def test_two_runs_side_by_side(network: Path, tmp_path: Path, capsys: Any) -> None:
    for name in ("a", "b"):
        bench(capsys, "-m", network, "--samples", 200, "--power", "none", "-o", tmp_path / name)
    with pytest.raises(SystemExit):
        main(["compare-runs", str(tmp_path / "a"), str(tmp_path / "b"), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["same_machine"]
    figures = {(item["model"], item["figure"]) for item in document["differences"]}
    assert ("nearest_x4.onnx", "latency p50 ms") in figures
    for item in document["differences"]:
        assert item["ratio"] == pytest.approx(item["second"] / item["first"])
    with pytest.raises(SystemExit):
        main(["compare-runs", str(tmp_path / "a"), str(tmp_path / "a")])
    text = capsys.readouterr().out
    assert "B/A" in text
    assert "1.000" in text
    assert "within noise" in text


def test_comparing_what_is_no_run(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["compare-runs", str(tmp_path), str(tmp_path)])
    assert stop.value.code == 1
    assert "there is no run in it" in capsys.readouterr().err
