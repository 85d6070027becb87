"""Tables of a run that `xz` compressed are read as they are, and damaged ones refused."""

import lzma
import shutil
from pathlib import Path

import pytest

from edgesr.bench import packed, raw_files
from edgesr.bench.raw_files import read_raw, write_raw
from edgesr.bench.report import PAGE, write_report
from edgesr.bench.run_folder import claim_folder
from edgesr.cli import main
from edgesr.errors import DataError

RUN = Path(__file__).parent / "data/run"
TABLES = ("latencies.csv", "power.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run whose tables are compressed, and what is computed of them not there yet."""
    copy = Path(shutil.copytree(RUN, tmp_path / "run"))
    for name in TABLES:
        (copy / f"{name}.xz").write_bytes(lzma.compress((copy / name).read_bytes()))
        (copy / name).unlink()
    (copy / PAGE).unlink()
    return copy


def test_the_report_is_that_of_the_plain_tables(folder: Path) -> None:
    write_report(folder)
    assert (folder / PAGE).read_bytes() == (RUN / PAGE).read_bytes()


def test_two_runs_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare-runs", str(folder), str(RUN)])
    assert ended.value.code == 0
    assert "within noise" in capsys.readouterr().out


def test_a_plain_table_comes_first(folder: Path) -> None:
    """As where a killed `bench --overwrite` had written its own, and not yet removed the others."""
    shutil.copy(RUN / "latencies.csv", folder)
    (folder / "latencies.csv.xz").write_bytes(b"of an earlier run")
    assert len(read_raw(folder).latencies.model) == len(read_raw(RUN).latencies.model)


def test_the_next_run_takes_their_place(folder: Path) -> None:
    recording = read_raw(folder)
    claim_folder(folder, overwrite=True)
    write_raw(folder, recording, {})
    assert {path.name for path in folder.glob("*.csv*")} == set(TABLES)


DAMAGE = {
    "no file of xz": b"model,round\n",
    "cut short": lzma.compress(bytes(1000))[:-9],
    "no file of xz, or damaged": lzma.compress(bytes(1000))[:-30] + bytes(30),
    "more than one compressed file": lzma.compress(b"1") + lzma.compress(b"2"),
    "holds more than 64 KiB": lzma.compress(bytes(1 << 24)),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(("message", "content"), DAMAGE.items(), ids=DAMAGE)
def test_what_is_damaged_is_refused(
    message: str, content: bytes, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / f"{name}.xz").write_bytes(content)
    shutil.copy(RUN / ({*TABLES} - {name}).pop(), folder)
    if "KiB" in message:
        real = packed.read_packed
        monkeypatch.setattr(raw_files, "read_packed", lambda path, _: real(path, 1 << 16))
    with pytest.raises(DataError, match=message):
        write_report(folder)
    assert not (folder / PAGE).exists()


def test_none_outside_of_the_folder_is_read(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "latencies.csv.xz"
    (folder / outside.name).replace(outside)
    (folder / outside.name).symlink_to(outside)
    with pytest.raises(DataError, match=r"latencies\.csv\.xz lies outside"):
        read_raw(folder)
