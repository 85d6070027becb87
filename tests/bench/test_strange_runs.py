"""Bench folders of strangers, and what a killed or failed run leaves."""

import json
import os
import shutil
from pathlib import Path

import pytest
from recordings import pictures, recording
from small_disk import small_disk

from benchmarks.hostile.altered_runs import judge
from edgesr.bench import run_folder
from edgesr.bench.raw_files import read_raw, write_raw
from edgesr.bench.report import PAGE, write_report
from edgesr.bench.run_folder import claim_folder, keep
from edgesr.cli import main
from edgesr.errors import ConfigError, DataError, EdgesrError

RUN = Path(__file__).parent / "data/run"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RUN, tmp_path / "run"))


@pytest.mark.parametrize("count", [40, pytest.param(150, marks=pytest.mark.long)])
def test_altered_folders_are_reported_or_refused_in_one_line(count: int) -> None:
    verdicts = {seed: judge(RUN, seed) for seed in range(10_000, 10_000 + count)}
    assert {s: v for s, v in verdicts.items() if v[0] not in ("reported", "refused")} == {}
    assert {verdict for verdict, _ in verdicts.values()} == {"reported", "refused"}


@pytest.mark.parametrize(
    "name", ["../../../../../../../../etc/passwd", "/etc/passwd", "..", "", "a/b.png", "a\\b.png"]
)
def test_no_picture_outside_of_the_folder_is_read(name: str, folder: Path) -> None:
    run = folder / "run.json"
    fields = json.loads(run.read_bytes())
    fields["models"][0]["picture"] = name
    run.write_text(json.dumps(fields))
    before = (folder / PAGE).read_bytes()
    with pytest.raises(DataError, match="picture"):
        write_report(folder)
    assert (folder / PAGE).read_bytes() == before


@pytest.mark.parametrize("name", ["run.json", "latencies.csv", "power.csv", "pictures/input.png"])
def test_no_link_out_of_the_folder_is_followed(name: str, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    with pytest.raises(DataError, match="lies outside of the folder"):
        write_report(folder)


def test_a_file_that_is_no_picture_is_not_shown(folder: Path) -> None:
    (folder / "pictures/input.png").write_text("secret")
    with pytest.raises(DataError, match="not a PNG file"):
        write_report(folder)


def test_a_pipe_does_not_hang(folder: Path) -> None:
    (folder / "run.json").unlink()
    os.mkfifo(folder / "run.json")
    with pytest.raises(DataError, match="not a regular file"):
        write_report(folder)


def test_what_a_kill_left_is_no_obstacle(tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "run"
    (folder / "pictures").mkdir(parents=True)
    (folder / f".latencies.csv.{'0' * 16}.new").write_text("half")
    with pytest.raises(ConfigError, match="a part of a run"):
        claim_folder(folder, overwrite=False)
    claim_folder(folder, overwrite=True)
    write_raw(folder, recording(rounds=1), pictures(data / "photo.png"))
    assert {path.name for path in folder.iterdir()} == {
        *("run.json", "latencies.csv", "power.csv", "pictures")
    }


def test_a_full_disk_is_said_before_the_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "FREE_BYTES", 1 << 60)
    with pytest.raises(ConfigError, match="nothing was measured yet") as full:
        claim_folder(tmp_path / "run", overwrite=False)
    assert full.value.fix == f"df -h {tmp_path}"  # the folder of the run is removed


def test_a_run_that_fails_leaves_none_of_the_folders_that_it_made(tmp_path: Path) -> None:
    folder = tmp_path / "runs/bench"
    with pytest.raises(ZeroDivisionError), run_folder.removed_if_empty(folder):
        claim_folder(folder, overwrite=False)
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_run_that_found_no_room_leaves_no_folder(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(2000), pytest.raises(EdgesrError, match="cannot write"):
        write_raw(tmp_path, recording(rounds=2), pictures(data / "photo.png"))
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(run_folder, "FREE_BYTES", 1 << 60)
    with pytest.raises(SystemExit) as ended:
        main(["bench", "-m", "bicubic", "-o", str(tmp_path / "run")])
    assert ended.value.code == 1
    assert "nothing was measured yet" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_was_measured_is_kept_elsewhere(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder became a file while the measuring went on; temporary files can be written."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = recording(rounds=1)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/pictures").write_text("in the way")
    with pytest.raises(EdgesrError, match="what was measured is in") as caught:
        keep(tmp_path / "run", run, pictures(data / "photo.png"))
    refuge = Path((caught.value.fix or "").removeprefix("edgesr report "))
    assert read_raw(refuge).models == run.models
    write_report(refuge)


def test_a_run_that_cannot_be_written_leaves_the_old_one(folder: Path, data: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with small_disk(2000), pytest.raises(EdgesrError, match="cannot write"):
        write_raw(folder, recording(rounds=2), pictures(data / "photo.png"))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
