"""Everything but the raw files is a pure function of them."""

import json
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from recordings import pictures, recording

from edgesr.bench.raw_files import COLUMNS, read_raw, write_raw
from edgesr.bench.report import LATENCY_PLOT, PAGE, POWER_PLOT, RESULT, write_report
from edgesr.bench.run_folder import claim_folder
from edgesr.errors import ConfigError, DataError, PowerError

COMMITTED = Path(__file__).with_name("data") / "run"
MADE = (RESULT, POWER_PLOT, LATENCY_PLOT, PAGE)


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    write_raw(path, recording(rounds=2, window_s=3.0), pictures(data / "photo.png"))
    return path


def test_a_committed_run_gives_the_committed_report_byte_for_byte(tmp_path: Path) -> None:
    """Its files were made elsewhere: another CPU, another day."""
    write_report(COMMITTED, tmp_path)
    for name in MADE:
        assert (tmp_path / name).read_bytes() == (COMMITTED / name).read_bytes(), name


def test_two_reports_are_equal_whatever_the_settings_of_the_machine(folder: Path) -> None:
    write_report(folder)
    first = {name: (folder / name).read_bytes() for name in MADE}
    for name in MADE:
        (folder / name).unlink()
    code = f"import sys; from edgesr.cli import main; main(['report', {str(folder)!r}])"
    environment = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "COLUMNS": "20"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True)
    assert {name: (folder / name).read_bytes() for name in MADE} == first


def test_raw_files_hold_the_recording(folder: Path) -> None:
    expected, read = recording(rounds=2, window_s=3.0), read_raw(folder)
    for field in fields(expected):
        if field.name not in {"latencies", "samples"}:
            assert getattr(read, field.name) == getattr(expected, field.name), field.name
    for field in fields(expected.latencies):
        mine, theirs = (getattr(run.latencies, field.name) for run in (expected, read))
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=5.1e-5)  # written to 0.1 us
    assert read.samples == expected.samples


def test_a_report_needs_neither_torch_nor_onnxruntime_nor_a_board(folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom edgesr.bench.report import write_report\n"
        f"write_report(Path({str(folder)!r}))\n"
        "print({'torch', 'onnx', 'onnxruntime', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_the_page_holds_everything_itself(folder: Path) -> None:
    write_report(folder)
    page = (folder / PAGE).read_text()
    for address in ("http://", "https://", "//cdn", "@import", "url("):
        assert address not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("<svg") == 2
    assert page.count("data:image/png;base64,") == 2
    assert "$" not in page


def test_names_cannot_break_the_page(folder: Path) -> None:
    run = json.loads((folder / "run.json").read_text())
    run["models"][0]["label"] = '<script>alert("x")</script>'
    (folder / "run.json").write_text(json.dumps(run))
    write_report(folder)
    page = (folder / PAGE).read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(" in page


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.json", None, r"there is no run in it \(run.json is missing\)"),
        ("latencies.csv", None, r"\(latencies.csv is missing\)"),
        ("run.json", "{}", "not of format edgesr-bench-run/1"),
        ("run.json", "{", "cannot be read"),
        ("run.json", '{"format": "edgesr-bench-run/1"}', "cannot be read"),
        ("latencies.csv", "model\n1,2\n", "not a table of latencies"),
        ("latencies.csv", f"{COLUMNS}\n1,2\n", "cannot be read"),
        ("latencies.csv", f"{COLUMNS}\n", "not a table of latencies"),
        ("pictures/student.png", None, "a picture is missing"),
    ],
)
def test_damaged_runs(folder: Path, name: str, content: str | None, message: str) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(DataError, match=message):
        write_report(folder)
    assert not (folder / PAGE).exists()


def test_damaged_power_samples(folder: Path) -> None:
    (folder / "power.csv").write_text("time_s,rails_mw.VDD_IN\n0.0,much\n")
    with pytest.raises(PowerError):
        write_report(folder)


def test_no_folder_of_others_is_taken(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is a run in it"):
        claim_folder(folder, overwrite=False)
    before = (folder / "run.json").read_bytes()
    claim_folder(folder, overwrite=True)
    assert (folder / "run.json").read_bytes() == before
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter1.tex").write_text("It was a dark night.")
    with pytest.raises(ConfigError, match="other files"):
        claim_folder(other, overwrite=True)
    with pytest.raises(ConfigError, match="cannot be made a folder"):
        claim_folder(other / "chapter1.tex", overwrite=False)
    claim_folder(tmp_path / "new/deep", overwrite=False)
    assert list((tmp_path / "new/deep").iterdir()) == []


def test_pictures_of_a_run_that_is_replaced_go_with_it(folder: Path, data: Path) -> None:
    shutil.copy(folder / "pictures/student.png", folder / "pictures/old.png")
    write_raw(folder, recording(rounds=1), pictures(data / "photo.png"))
    assert sorted(path.name for path in (folder / "pictures").iterdir()) == [
        "bicubic.png", "input.png", "student.png",
    ]  # fmt: skip
