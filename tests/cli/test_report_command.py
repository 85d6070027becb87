"""`edgesr report` on the committed run of a bench."""

import json
from pathlib import Path

import pytest

from edgesr.cli import main

RUN = Path(__file__).parents[1] / "bench/data/run"


def report(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["report", *map(str, arguments)])
    return int(exit_.value.code or 0)


def test_to_another_folder_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(RUN, "-o", tmp_path / "a/b", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((RUN / "result.json").read_text())
    assert (tmp_path / "a/b/report.html").read_bytes() == (RUN / "report.html").read_bytes()


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(RUN, "-o", tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["Model", "p50", "ms"]
    student = lines[1].split()
    assert student[0] == "student"
    # 15 W in every reading: the sensor's step of 1 mW is all that is uncertain.
    assert "15.000 ± 0.001" in lines[1]
    assert any(line.startswith("power: VDD_IN by tegrastats, idle 5.000") for line in lines)


def test_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(tmp_path) == 1
    errors = capsys.readouterr().err
    assert f"{tmp_path}: there is no run in it" in errors
    assert "Traceback" not in errors


def test_a_file_in_place_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    assert report(RUN, "-o", taken) == 1
    assert f"{taken}: cannot be made a folder" in capsys.readouterr().err
    assert taken.read_text() == "mine"
