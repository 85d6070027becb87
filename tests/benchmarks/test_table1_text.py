"""What the table says: its first line above all."""

import csv
import io
from typing import Any

import pytest

from benchmarks.shared.markdown import fill_blocks, markdown
from benchmarks.shared.paper import PAPER
from benchmarks.table1.text import page, table1, table2, to_csv, verdict

Json = dict[str, Any]


def row(name: str, psnr: float, ssim: float, steps: int | None = None) -> Json:
    return {
        "name": name,
        "file": f"{name}_x4.onnx",
        "weights_sha256": None,
        "precision": "fp32",
        "steps": steps,
        "parameters": 14550,
        "multiply_adds": 61_000_000,
        "quality": {"Set5": {"psnr_y_db": psnr, "ssim_y": ssim}},
    }


def cost(ratio: float, energy: float | None = None) -> Json:
    return {
        "backend": "onnxruntime",
        "latency_ms": 50.0 * ratio,
        "latency_p99_ms": 60.0 * ratio,
        "latency_ratio": ratio,
        "power_mw": None if energy is None else 7000.0,
        "power_uncertainty_mw": None if energy is None else 50.0,
        "dynamic_mw": None if energy is None else 2000.0,
        "energy_j": None if energy is None else 0.35 * energy,
        "energy_uncertainty_j": None if energy is None else 0.01,
        "energy_ratio": energy,
    }


def document(rows: list[Json], costs: dict[str, Json], power: str | None = None) -> Json:
    return {
        "name": "table1_test",
        "command": "python -m benchmarks.table1 measure",
        "quality_protocol": "protocol",
        "latency_protocol": "one tile",
        "sets": [{"name": "Set5", "images": 5, "lr": "read from LRx4/"}],
        "networks": rows,
        "left_out": {"espcn": "no weights", "dvmsr": "no weights"},
        "started": "2026-11-23",
        "machine": {
            "model": "board",
            "cpu": None,
            "cpu_cores": 6,
            "power_mode": "15W",
            "packages": {"edgesr": "0.1.0"},
        },
        "is_valid": True,
        "invalid_reasons": [],
        "notes": ["a note"],
        "power_source": power,
        "why_no_power": None if power else "no sensor",
        "idle_mw": 5000.0 if power else None,
        "reference": "student",
        "cost": costs,
    }


def test_the_first_line_says_where_the_student_loses() -> None:
    rows = [row("student", 30.9, 0.870), row("esr", 30.4, 0.860), row("bicubic", 28.4, 0.810)]
    costs = {"student": cost(1.0, 1.0), "esr": cost(0.125, 0.2), "bicubic": cost(0.01, 0.02)}
    assert page(document(rows, costs, "VDD_IN by tegrastats")).splitlines()[0] == (
        "**The student loses on latency: it is slower than bicubic (100 times) and esr (8 times). "
        "The student loses on energy: it takes more than bicubic (50 times) and esr (5 times).** "
        "It is ahead of esr and bicubic in PSNR and SSIM on Set5."
    )


def test_the_first_line_says_where_it_does_not_lose_and_where_it_is_behind() -> None:
    rows = [row("student", 30.3, 0.870), row("esr", 30.4, 0.860), row("bicubic", 28.4, 0.880)]
    costs = {"student": cost(1.0), "esr": cost(2.0), "bicubic": cost(1.5)}
    assert verdict(document(rows, costs)) == (
        "**The student loses on latency to none of esr and bicubic. Energy was not measured; the "
        "notes say why.** In quality it is behind esr on Set5 (PSNR) and bicubic on Set5 (SSIM)."
    )


def test_the_teacher_is_no_rival_in_quality() -> None:
    rows = [row("student", 30.3, 0.870), row("teacher", 31.4, 0.890)]
    line = verdict(document(rows, {"student": cost(1.0), "teacher": cost(9.0)}))
    assert "behind" not in line


def test_published_figures_stand_below_the_measured_ones() -> None:
    rows = [row("student", 30.9, 0.870), row("esr", 30.4, 0.8604)]
    lines = table1(document(rows, {"student": cost(1.0, 1.0), "esr": cost(0.5)})).splitlines()
    assert lines[2] == (
        "| **student** | 14,550 | 61.0 M | 30.90 / 0.870 | 50.00 | 1.00 | 7.000 ± 0.050 | 350 ± 10 "
        "| onnxruntime, fp32 |"
    )
    assert lines[3] == (
        "| *paper: MambaLiteSR* | - | - | 28.28 / 0.837 | 14 | - | 2.96 | - | Orin Nano |"
    )
    assert lines[4].startswith("| **esr** | 14,550 | 61.0 M | 30.40 / 0.860 | 25.00 | 0.500 | - |")
    assert "*paper: eSR*" in lines[5] and lines[5].endswith("7.10 | - | AGX Xavier |")
    assert {line.count("|") for line in lines} == {10}


def test_a_network_without_cost_is_not_given_one() -> None:
    lines = table1(document([row("student", 30.9, 0.87)], {"student": cost(1.0)})).splitlines()
    assert len(lines) == 4
    bare = table1(document([row("esr-tm", 30.9, 0.87)], {})).splitlines()
    assert bare[2].endswith("| 30.90 / 0.870 | - | - | - | - | - |")


def test_the_second_table_holds_what_was_measured_and_published() -> None:
    table = table2(document([row("student", 30.9, 0.87, 9264)], {}))
    assert "| *paper: DVMSR* | 424k | 500,000 | 32.19 |" in table
    assert "| **student** | 14,550 | 9,264 | 30.90 |" in table
    assert "**dvmsr**" not in table


def test_an_invalid_run_says_so() -> None:
    found = document([row("student", 30.9, 0.87)], {"student": cost(1.0)})
    found["networks"][0]["weights_sha256"] = "0123456789abcdef"
    found |= {"is_valid": False, "invalid_reasons": ["throttled: oc1 3 times"]}
    text = page(found)
    assert "**INVALID run:** throttled: oc1 3 times." in text
    assert "- SHA-256 of the weights: student 01234567." in text
    assert "- Left out: espcn and dvmsr: no weights." in text


def test_the_csv_holds_both_sources() -> None:
    found = document([row("student", 30.9, 0.87)], {"student": cost(1.0, 1.0)})
    lines = list(csv.DictReader(io.StringIO(to_csv(found))))
    ours = [line for line in lines if line["source"] == "table1_test"]
    assert [(line["set"], line["psnr_y_db"], line["energy_j"]) for line in ours] == [
        ("Set5", "30.9", "0.35")
    ]
    theirs = {(line["network"], line["set"]): line for line in lines if line["source"] == "paper"}
    assert len(theirs) == 20
    assert theirs["fsrcnn", "Urban100"]["psnr_y_db"] == "24.09"
    assert theirs["fsrcnn", "Urban100"]["energy_j"] == ""


def test_the_papers_figures_give_the_papers_claim() -> None:
    power = {row["name"]: row["power_mw"] for row in PAPER["table1"]["rows"]}
    assert 1 - power["MambaLiteSR"] / power["eSR"] == pytest.approx(0.58, abs=0.005)
    assert all(len(row["quality"]) == 4 for row in PAPER["table1"]["rows"])


def test_only_the_block_of_a_name_is_filled() -> None:
    text = "a\n<!-- one -->\nold\n<!-- end of one -->\nb\n<!-- two -->\n<!-- end of two -->\n"
    filled = fill_blocks(text, {"one": "new \\1\n", "three": "x"})
    assert filled == (
        "a\n<!-- one -->\nnew \\1\n<!-- end of one -->\nb\n<!-- two -->\n<!-- end of two -->\n"
    )
    assert fill_blocks(filled, {"one": "new \\1\n"}) == filled


def test_markdown_has_as_many_columns_everywhere() -> None:
    assert markdown(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"
