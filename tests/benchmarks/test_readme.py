"""README.md's table and picture are those of the results and of the student that ships."""

import copy
import json
import re
from pathlib import Path

import cv2
import numpy as np

from benchmarks.release import readme_picture, readme_table
from benchmarks.shared.results import read_result
from edgesr.imaging.picture import read_picture

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ROWS = re.findall(r"^\| \**([a-z-]+)\** \| ([\d,]+) \| (.*) \|$", README, re.MULTILINE)


def test_the_table_is_made_from_the_results() -> None:
    assert readme_table.render() == README, "python -m benchmarks.release.readme_table"


def test_every_number_is_in_the_raw_results() -> None:
    """Read from the files again, without the code that makes the table."""
    results = ROOT / "benchmarks/results"
    cpu = json.loads((results / "table1/table1_x86.json").read_text())["cost"]
    gpu = json.loads((results / "tensorrt/table_gpu.json").read_text())["runs"]["1"]
    assert [name for name, _, _ in ROWS][-1] == "student"
    assert len(ROWS) == 6
    for name, _, cells in ROWS:
        *decibels, on_cpu, on_gpu, energy = cells.split(" | ")
        own = "student" if name == "bicubic" else name
        field = "bicubic_psnr_y_db" if name == "bicubic" else "psnr_y_db"
        sets = read_result(results / f"release/{own}_x4_eval.json.xz")["sets"]
        means = {
            found["protocol"]["dataset"]: np.mean([each[field] for each in found["per_image"]])
            for found in sets
        }
        assert decibels == [f"{means[each]:.2f}" for each in ("Set5", "Set14", "BSD100")]
        assert abs(float(on_cpu) / cpu[name]["latency_ms"] - 1) < 0.006
        if name == "bicubic":
            assert (on_gpu, energy) == ("-", "-")
            continue
        engine = "student fp16 plugin" if name == "student" else f"{name} fp16"
        assert abs(float(on_gpu) / gpu["cost"][engine]["latency_ms"] - 1) < 0.006
        joules = gpu["more"][engine]["net_energy_j"]
        assert abs(float(energy.split(" ± ")[0]) - 1e3 * joules) <= 0.5


def test_engines_of_other_weights_are_named() -> None:
    cpu, gpu = readme_table.read(readme_table.CPU), readme_table.read(readme_table.GPU)
    gpu = copy.deepcopy(gpu)
    for network in gpu["runs"]["1"]["networks"]:
        if network["name"] == "espcn fp16":
            network["weights_sha256"] = "0" * 8
    assert "espcn" in readme_table.block(cpu, gpu).partition("Built from earlier weights")[2]


def test_smfanet_is_ahead_as_the_readme_says() -> None:
    (said,) = re.findall(r"more dB: ([\d.]+) on Set5 with ([\d,]+) parameters", README)
    networks = (ROOT / "docs/networks.md").read_text()
    assert f"reach {said[0]} dB on Set5" in networks.replace("\n", " ")
    assert f"| `smfanet` | {said[1]} |" in networks
    assert float(said[0]) > readme_table.psnr("student")["Set5"]


def test_the_picture_is_what_ships() -> None:
    small = read_picture(readme_picture.SMALL).colour
    assert small.shape == (75, 112, 3)
    made = readme_picture.before_after(small)
    shown = read_picture(readme_picture.SHOWN).colour
    half = 4 * small.shape[1]
    sides = slice(None, half), slice(-half, None)
    for ours, other in (sides, sides[::-1]):
        side = np.ascontiguousarray(shown[:, ours])
        right = cv2.PSNR(side, np.ascontiguousarray(made[:, ours]))  # but for WebP's loss
        wrong = cv2.PSNR(side, np.ascontiguousarray(made[:, other]))
        assert right > wrong + 2, (right, wrong)
    assert readme_picture.SHOWN.stat().st_size < 100_000
