"""`edgesr power` on the files of jtop, zeus and CodeCarbon."""

import csv
import json
from pathlib import Path

import pytest
from test_power_command import document, edgesr

CSV = Path(__file__).parents[1] / "power" / "data" / "csv"


def test_jtop() -> None:
    result = document(CSV / "jtop_log.csv")
    assert result["tool"] == "jtop"
    assert result["total"]["of"] == "TOT" and not result["total"]["is_sum"]
    assert result["total"]["mean_mw"] == pytest.approx(21129)
    assert result["total"]["duration_s"] == pytest.approx(30 * 1.004, abs=0.01)
    assert result["rails"]["VDD_SOC"]["mean_mw"] == pytest.approx(6012)
    assert result["start"].startswith("2026-04-19T01:31:10.123")
    assert len(result["busy"]) == 1
    assert "by jtop" in edgesr(CSV / "jtop_log.csv").stdout


def test_codecarbon_counts_the_last_row_of_a_run() -> None:
    result = document(CSV / "codecarbon_emissions.csv")
    with (CSV / "codecarbon_emissions.csv").open(newline="") as file:
        *_, last = csv.DictReader(file)
    (window,) = result["windows"]
    assert result["tool"] == "CodeCarbon"
    assert window["energy_j"] == pytest.approx(3.6e6 * float(last["energy_consumed"]), abs=1e-3)
    assert sum(window["parts_j"].values()) == pytest.approx(window["energy_j"], abs=0.01)
    assert window["duration_s"] == pytest.approx(float(last["duration"]), abs=1e-3)


def test_zeus() -> None:
    result = document(CSV / "zeus_log.csv")
    assert result["tool"] == "zeus"
    assert [window["name"] for window in result["windows"]] == ["warmup", "epoch 1"]
    for window in result["windows"]:
        assert window["mean_mw"] == pytest.approx(42000, rel=0.02)
        assert set(window["parts_j"]) == {"gpu0"}
    assert "by zeus" in edgesr(CSV / "zeus_log.csv").stdout


@pytest.mark.parametrize("name", ["jtop_log", "codecarbon_emissions", "zeus_log"])
@pytest.mark.parametrize("damage", ["no rows", "words", "cut"])
def test_damaged_files(tmp_path: Path, name: str, damage: str) -> None:
    text = (CSV / f"{name}.csv").read_text()
    header, first, *_ = text.splitlines()
    path = tmp_path / "power.csv"
    words = ",".join("x" for _ in first.split(","))
    path.write_text(
        {"no rows": header, "words": f"{header}\n{words}\n", "cut": f"{header}\n{first[:30]}"}[
            damage
        ]
    )
    run = edgesr(path)
    assert run.returncode == 1 and run.stderr.startswith("error:")
    assert "Traceback" not in run.stderr


def test_log_without_rails_hints_at_sudo(tmp_path: Path) -> None:
    log = tmp_path / "orin_nx.log"
    log.write_text("08-21-2026 15:11:33 RAM 998/15389MB CPU [4%@883] GR3D_FREQ 0%\n" * 3)
    run = edgesr(log)
    assert run.returncode == 1
    assert "none of its 3 lines from tegrastats holds a power rail" in run.stderr
    assert "sudo tegrastats" in run.stderr
    assert not run.stdout


def test_document_of_another_tool_is_json() -> None:
    assert json.loads(edgesr(CSV / "zeus_log.csv", "--json").stdout)["format"] == "edgesr-energy/1"
