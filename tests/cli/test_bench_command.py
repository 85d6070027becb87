"""Whole runs of `edgesr bench` with a real network, against a stand-in `tegrastats` executable."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benching import bench

from edgesr.cli import main
from edgesr.files import sha256
from edgesr.power.samples_csv import read_samples

POWER = Path(__file__).parents[1] / "power"
LOG = POWER / "data/logs/orin_nano_maxn_super_100ms_tensorrt.txt"
FILES = ["latencies.csv", "latency.svg", "pictures", "power.csv", "power.svg", "report.html",
         "result.json", "run.json"]  # fmt: skip


@pytest.fixture
def tegrastats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in, found on the PATH, replaying an Orin Nano's log at its own pace."""
    path = tmp_path / "bin/tegrastats"
    path.parent.mkdir()
    shutil.copy(POWER / "stand_in/tegrastats", path)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN_LOG", str(LOG))
    return path


def test_a_whole_bench_of_1000_samples(
    network: Path, tegrastats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    document, errors = bench(
        capsys, "--model", network, "--samples", 1000, "--rounds", 2, "--window-s", 3,
        "--idle-s", 3, "-o", folder,
    )  # fmt: skip
    assert errors == ""
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert document == json.loads((folder / "result.json").read_text())
    assert document["is_valid"], document["invalid_reasons"]
    network_figures, control = document["models"]
    assert control["model"]["is_control"]
    assert control["model"]["label"] == "bicubic"
    assert network_figures["model"]["sha256"] == sha256(network)
    for figures in document["models"]:
        assert figures["samples"] >= 1000
        times = figures["latency_ms"]
        assert 0 < times["min"] <= times["p50"] <= times["p90"] <= times["p95"] <= times["p99"]
        assert times["p99"] <= times["max"]
        assert times["p50"] < figures["end_to_end_ms"]["p50"]
        assert figures["device_ms"] is None
        assert figures["model"]["load_ms"] > 0
        assert figures["model"]["first_image_ms"] > 0
    assert network_figures["images_per_s"] == pytest.approx(
        1000 / network_figures["end_to_end_ms"]["mean"], rel=1e-3
    )

    # The log stands for its board's power, whatever ran here: every mean is the log's own.
    samples = read_samples(folder / "power.csv")
    assert document["power"]["source"] == "tegrastats"
    assert document["power"]["total"] == "VDD_IN"
    readings = [sample.rails_mw["VDD_IN"] for sample in samples]
    for figures in document["models"]:
        power = figures["power"]
        assert min(readings) <= power["average_mw"] <= power["peak_mw"] <= max(readings)
        joules = power["average_mw"] / 1000 / figures["images_per_s"]
        assert power["energy_per_image_j"] == pytest.approx(joules, rel=0.25)
        assert power["is_run_to_run_known"]
    assert document["power"]["idle_mw"] == pytest.approx(6150, rel=0.03)

    spans = json.loads((folder / "run.json").read_text())["spans"]
    measured = [(span["round"], span["model"]) for span in spans if span["kind"] == "measured"]
    assert measured == [(0, 0), (0, 1), (1, 1), (1, 0)]  # interleaved, each round another first
    assert all(
        span["end_s"] - span["start_s"] >= 3.0 for span in spans if span["kind"] == "measured"
    )
    assert any("do not fill windows of 3 s" in note for note in document["notes"])

    made = {name: (folder / name).read_bytes() for name in FILES if name != "pictures"}
    with pytest.raises(SystemExit):
        main(["report", str(folder)])
    text = capsys.readouterr().out
    assert "p50 ms" in text
    assert text.rstrip().endswith("report.html")
    assert {name: (folder / name).read_bytes() for name in made} == made


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("die:8", "tegrastats was killed by signal 9 after"),
        pytest.param("garbage", "it says:", marks=pytest.mark.long),  # waits for a line with power
        ("no-rails", "tegrastats prints no power here"),
        ("exit:3", "ended with status 3 after 0 samples; it says: tegrastats: cannot open"),
    ],
)
def test_a_tegrastats_that_fails_costs_the_power_only(
    fault: str,
    message: str,
    network: Path,
    tegrastats: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STAND_IN_FAULT", fault)
    folder = tmp_path / "run"
    document, errors = bench(
        capsys, "--model", network, "--samples", 40, "--idle-s", 2, "--power", "tegrastats",
        "-o", folder,
    )  # fmt: skip
    assert message in errors
    assert message in document["power"]["why_none"]
    assert all(figures["power"] is None for figures in document["models"])
    assert [figures["samples"] for figures in document["models"]] == [40, 40]
    assert "no power" in (folder / "power.svg").read_text() or fault.startswith("die")
    assert any("no power was measured" in note for note in document["notes"])


def test_no_permission_and_no_binary(
    network: Path, tegrastats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tegrastats.chmod(0o644)
    document, errors = bench(
        capsys, "--model", network, "--samples", 10, "--power", "tegrastats", "-o", tmp_path / "a"
    )
    assert "tegrastats may not be run" in errors
    assert f"chmod a+x {tegrastats}" in errors
    assert document["power"]["why_none"] == "tegrastats may not be run"
    tegrastats.unlink()
    document, errors = bench(
        capsys, "--model", network, "--samples", 10, "--power", "tegrastats", "-o", tmp_path / "b"
    )
    assert "tegrastats is not installed" in errors
    assert document["models"][0]["power"] is None


def test_without_any_sensor_auto_says_what_it_tried(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    document, errors = bench(capsys, "--model", network, "--samples", 10, "-o", tmp_path / "run")
    why = document["power"]["why_none"]
    if why is None:
        pytest.skip("this machine has a power sensor")
    for sensor in ("tegrastats:", "hwmon:", "nvml:", "rapl:"):
        assert sensor in why
    assert "no power will be measured" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_valid_partial_report(
    number: signal.Signals, network: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = [
        sys.executable, "-m", "edgesr", "bench", "--model", str(network), "--input", "16x16",
        "--samples", "10000000", "--rounds", "1000", "--power", "none", "-o", str(folder),
    ]  # fmt: skip
    terminal, of_child = os.openpty()  # the progress bar on it shows when measuring has begun
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=of_child, text=True) as child:
        os.close(of_child)
        shown = b""
        while not re.search(rb"round \d", shown):
            shown += os.read(terminal, 4096)
        time.sleep(1.0)
        child.send_signal(number)
        drain = threading.Thread(target=_drain, args=(terminal,))
        drain.start()
        output, _ = child.communicate(timeout=60)
        drain.join()
    os.close(terminal)
    assert child.returncode == 130
    assert "the run was stopped before its end" in output
    document = json.loads((folder / "result.json").read_text())
    assert document["interrupted"]
    assert sorted(path.name for path in folder.iterdir()) == FILES
    rows = (folder / "latencies.csv").read_text().splitlines()[1:]
    assert len(rows) == sum(figures["samples"] for figures in document["models"]) > 10


def _drain(terminal: int) -> None:
    """Read what is left; at its end a terminal raises instead of giving nothing."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 4096):
            pass


def test_several_models_batches_and_a_photo(
    make_nearest: Callable[..., Path], data: Path, tmp_path: Path, capsys: Any
) -> None:
    first, second = make_nearest(tile=16), make_nearest(tile=16)
    folder = tmp_path / "run"
    document, _ = bench(
        capsys, "-m", first, "-m", second, "--samples", 12, "--rounds", 3, "--batch", 4,
        "--warmup", 1, "--power", "none", "-o", folder,
    )  # fmt: skip
    labels = [figures["model"]["label"] for figures in document["models"]]
    assert labels == ["nearest_x4.onnx", "nearest_x4.onnx#2", "bicubic"]
    images = [figures["images"] for figures in document["models"]]
    assert images == [48, 48, 12]  # bicubic is for tiles of 64, so a call of it is one picture
    document, _ = bench(
        capsys, "-m", first, "--samples", 2, "--rounds", 1, "--warmup", 0, "--power", "none",
        "--input", data / "photo.png", "-o", folder, "--overwrite",
    )  # fmt: skip
    assert document["settings"]["width"] == 144
    assert document["models"][0]["model"]["runs"].startswith("1 picture of 144x108 to 576x432")


def test_a_run_is_not_overwritten_unless_asked(network: Path, tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "run"
    bench(capsys, "-m", network, "--samples", 5, "--power", "none", "-o", folder)
    before = (folder / "run.json").read_bytes()
    document, errors = bench(
        capsys, "-m", network, "--samples", 5, "--power", "none", "-o", folder, code=1
    )
    assert document is None
    assert "there is a run in it" in errors
    assert "--overwrite" in errors
    assert (folder / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--samples", "0"], "--samples: at least 1, not 0"),
        (["--power", "magic"], "no power source is called 'magic'"),
        (["--input", "missing.png"], "missing.png: no such file"),
        (["--batch", "3"], "made for batches of 2, not 3"),
        (["--backend", "abacus"], "no backend is called 'abacus'"),
        (["--scale", "3"], "enlarges 4 times, not 3"),
        (["--model", "missing.engine"], "missing.engine: no such engine"),
        (["--window-s", "3"], "--window-s: does nothing with --power none"),
        (["--budget", "50mJ"], "--budget: does nothing without --sweep"),
    ],
)
def test_errors_leave_no_folder(
    arguments: list[str],
    message: str,
    make_nearest: Callable[..., Path],
    tmp_path: Path,
    capsys: Any,
) -> None:
    folder = tmp_path / "run"
    network = make_nearest(tile=16, batch=2)
    options = ["-m", str(network), "--samples", "5", "--power", "none", "-o", str(folder)]
    _, errors = bench(capsys, *options, *arguments, code=1)
    assert message in errors
    assert not folder.exists()


def test_a_network_that_gives_rubbish_is_not_measured(
    make_nearest: Callable[..., Path], tmp_path: Path, capsys: Any
) -> None:
    broken = make_nearest(tile=16, then=("Div", 0.0))
    _, errors = bench(
        capsys, "-m", broken, "--samples", 5, "--power", "none", "-o", tmp_path / "run", code=1
    )
    assert "nearest on onnxruntime" in errors
