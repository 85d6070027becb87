"""Folders of sweeps from strangers, and what a sweep that fails leaves of an older one."""

import json
import random
import shutil
from pathlib import Path

import pytest
from sweep_board import Board

from benchmarks.hostile.altered_runs import VALUES, places, watched
from edgesr.errors import DataError, EdgesrError
from edgesr.sweep.record import ModeRun, Quality, Sweep, write_sweep
from edgesr.sweep.report import write_sweep_report

RUN = Path(__file__).parents[1] / "bench/data/run"
MODES = ("15W", "7W")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sweep of two modes, and of one that was not measured."""
    sweep = tmp_path / "sweep"
    for name in MODES:
        shutil.copytree(RUN, sweep / name)
    networks = len(json.loads((RUN / "run.json").read_bytes())["models"])
    modes = (*(ModeRun(n, name, name) for n, name in enumerate(MODES)), ModeRun(2, "x", None, "no"))
    qualities = (Quality(30.0, "its card"),) * networks
    write_sweep(sweep, Sweep("edgesr bench", "2026", False, 0.05, modes, qualities))
    return sweep


@pytest.mark.parametrize("count", [50, pytest.param(200, marks=pytest.mark.long)])
def test_altered_sweeps_are_reported_or_refused_in_one_line(folder: Path, count: int) -> None:
    path, verdicts = folder / "sweep.json", []
    whole = path.read_text()
    for seed in range(count):
        rng = random.Random(seed)
        document = json.loads(whole)
        node, key = rng.choice(list(places(document)))
        if rng.random() < 0.2:
            del node[key]
        else:
            node[key] = rng.choice(VALUES)
        path.write_text(json.dumps(document))
        with watched(folder.parent) as outside:
            try:
                write_sweep_report(folder)
                verdicts.append("reported")
            except EdgesrError as error:
                lines = str(error).splitlines()
                assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  try: "))
                verdicts.append("refused")
        assert outside == [], (seed, key)
    assert set(verdicts) == {"reported", "refused"}


@pytest.mark.parametrize("name", ["sweep.json", "15W"])
def test_no_link_out_of_the_folder_is_followed(name: str, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    with pytest.raises(DataError, match="lies outside of the folder"):
        write_sweep_report(folder)


def test_modes_without_number_are_not_read(folder: Path) -> None:
    """A megabyte of them would take hours: each is a run that is computed."""
    path = folder / "sweep.json"
    document = json.loads(path.read_bytes())
    document["modes"] = document["modes"][:1] * 20_000
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"cannot be read .*length <= 64"):
        write_sweep_report(folder)


def test_networks_without_a_row_are_not_left_out(folder: Path) -> None:
    path = folder / "sweep.json"
    document = json.loads(path.read_bytes())
    document["qualities"].pop()
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="different numbers of networks"):
        write_sweep_report(folder)


def test_a_sweep_that_measures_nothing_leaves_the_old_one(folder: Path, board: Board) -> None:
    shutil.copytree(folder, board.folder / "out")
    for number, name in enumerate(MODES):
        (board.folder / "out" / name).rename(board.folder / "out" / f"{number}-{name}")
    before = (board.folder / "out/sweep.json").read_bytes()
    code, _, errors = board.sweep("--overwrite", "--power-mode", "7w")  # wants a reboot
    assert code == 1
    assert "no power mode was measured" in errors
    assert (board.folder / "out/sweep.json").read_bytes() == before
