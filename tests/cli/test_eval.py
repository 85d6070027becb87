"""Whole runs of `edgesr eval`, with a real ONNX graph (x4 by repetition) and real torch weights."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import nearest_network
import numpy as np
import pytest

from edgesr.cli import main
from edgesr.evaluate.datasets import BenchmarkSet, open_sets
from edgesr.evaluate.evaluate import evaluate
from edgesr.imaging.picture import Picture

CORNERS = Path(__file__).parents[1] / "imaging/data"
make_nearest = nearest_network.make_nearest


@pytest.fixture
def benchmark(tmp_path: Path) -> BenchmarkSet:
    """Three corner pieces of Set5's butterfly, one of them a grey file and one not square."""
    folder = tmp_path / "sets/Corners/HR"
    folder.mkdir(parents=True)
    first, second = (
        cv2.imread(str(CORNERS / f"imresize_{name}_hr.png"))
        for name in ("top_left", "bottom_right")
    )
    cv2.imwrite(str(folder / "a.png"), first)
    cv2.imwrite(str(folder / "b.png"), cv2.cvtColor(second, cv2.COLOR_BGR2GRAY))
    cv2.imwrite(str(folder / "c.png"), second[:50])
    (found,) = open_sets([folder.parent], 4)
    return found


@pytest.fixture
def repeating(make_nearest: Callable[..., Path]) -> Path:
    """An .onnx file with its manifest: every pixel becomes 4x4 equal ones, in tiles of 12."""
    return make_nearest(tile=12)


def repeat(picture: Picture) -> Picture:
    return replace(picture, colour=picture.colour.repeat(4, axis=0).repeat(4, axis=1))


def run_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    with pytest.raises(SystemExit) as exit_:
        main(["eval", "-m", *map(str, arguments), "--json"])
    captured = capsys.readouterr()
    assert exit_.value.code == 0, captured.err
    return json.loads(captured.out)


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as exit_:
        main(["eval", "-m", *map(str, arguments)])
    captured = capsys.readouterr()
    assert exit_.value.code == 1
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_an_onnx_file_runs_in_tiles_and_scores_what_its_pictures_score(
    benchmark: BenchmarkSet, repeating: Path, capsys: pytest.CaptureFixture[str]
):
    document = run_json(capsys, repeating, "--data", benchmark.folder, "--overlap", 4)
    expected = evaluate(
        str(repeating), "onnxruntime, tiles of 12 overlapping by 4", repeat, benchmark
    ).to_json()
    for image, other in zip(document["per_image"], expected["per_image"], strict=True):
        assert image == pytest.approx(other, abs=1e-9), other["name"]
    assert document["psnr_y_db"] == pytest.approx(expected["psnr_y_db"], abs=1e-9)
    assert document["ssim_y"] < document["bicubic_ssim_y"]
    assert document["protocol"] == expected["protocol"]
    assert (document["model"], document["images"]) == (str(repeating), 3)


def test_several_sets_give_a_list_and_a_parent_gives_its_sets(
    benchmark: BenchmarkSet, capsys: pytest.CaptureFixture[str]
):
    parent = benchmark.folder.parent
    (parent / "Again/HR").mkdir(parents=True)
    (parent / "Again/HR/a.png").write_bytes(benchmark.pairs[0].hr.read_bytes())
    by_parent = run_json(capsys, "bicubic", "--data", parent)
    one_by_one = run_json(capsys, "bicubic", "--data", parent / "Again", "--data", benchmark.folder)
    assert by_parent == one_by_one
    assert [entry["protocol"]["dataset"] for entry in by_parent] == ["Again", "Corners"]
    assert by_parent[0]["psnr_y_db"] == by_parent[1]["per_image"][0]["psnr_y_db"]


def test_the_table_has_bicubic_below_the_model_and_names_run_and_protocol(
    benchmark: BenchmarkSet, repeating: Path, capsys: pytest.CaptureFixture[str]
):
    result = evaluate("", "", repeat, benchmark)
    with pytest.raises(SystemExit):
        main(["eval", "-m", str(repeating), "--data", str(benchmark.folder)])
    lines = capsys.readouterr().out.splitlines()
    assert re.split(r"  +", lines[0]) == [
        "Set",
        "Images",
        "Model",
        "PSNR-Y dB",
        "SSIM-Y",
        "over bicubic",
    ]
    gain = result.score.psnr_y_db - result.bicubic.psnr_y_db
    model = [f"{result.score.psnr_y_db:.2f}", f"{result.score.ssim_y:.4f}", f"{gain:+.2f}"]
    assert re.split(r"  +", lines[1]) == ["Corners", "3", str(repeating), *model]
    control = [f"{result.bicubic.psnr_y_db:.2f}", f"{result.bicubic.ssim_y:.4f}"]
    assert re.split(r"  +", lines[2]) == ["Corners", "3", "bicubic", *control]
    rest = "\n".join(lines[3:])
    assert "onnxruntime, tiles of 12 overlapping by 6" in rest
    assert "Corners: LR made from HR" in rest
    assert "BT.601" in rest


def test_weights_run_whole_in_torch_and_in_tiles_if_asked(
    benchmark: BenchmarkSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    import torch

    from edgesr.imaging.local_range import COLOUR
    from edgesr.models.checkpoint import save_weights
    from edgesr.models.registry import get_network

    name = "mambalitesr:D8-G1-B1-N2"
    torch.manual_seed(3)
    network = get_network(name).module(4).eval()
    save_weights(tmp_path / "tiny.safetensors", network, name, {})

    def whole(picture: Picture) -> Picture:
        lr = torch.from_numpy(picture.colour).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            raw = network(lr)[0].numpy()
        near = COLOUR.keep(lr[0].numpy(), raw)  # what keeps flat areas flat; tested by itself
        hr = near.clip(0, 1).transpose(1, 2, 0)
        if picture.grey:
            hr = np.repeat(hr @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2)
        return Picture(np.rint(hr * 255).astype(np.uint8), grey=picture.grey)

    options = (name, "--weights", tmp_path / "tiny.safetensors", "--data", benchmark.folder)
    options = (*options, "--device", "cpu")
    document = run_json(capsys, *options)
    expected = evaluate(name, "", whole, benchmark).to_json()
    assert document["psnr_y_db"] == pytest.approx(expected["psnr_y_db"], abs=1e-3)
    assert document["ssim_y"] == pytest.approx(expected["ssim_y"], abs=1e-4)
    assert document["protocol"]["run"].startswith("torch, whole pictures, weights ")
    tiled = run_json(capsys, *options, "--tile", 8, "--overlap", 2)
    assert tiled["protocol"]["run"].startswith("torch, tiles of 8 overlapping by 2, weights ")
    # The scan goes over the whole picture, so tiles change the result, if only a little.
    assert tiled["psnr_y_db"] != document["psnr_y_db"]
    assert tiled["psnr_y_db"] == pytest.approx(document["psnr_y_db"], abs=1)


def test_an_onnx_file_is_evaluated_without_torch(benchmark: BenchmarkSet, repeating: Path):
    program = (
        "import sys\n"
        "from edgesr.cli import main\n"
        "try:\n"
        f"    main(['eval', '-m', {str(repeating)!r}, '--data', {str(benchmark.folder)!r}])\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "assert 'onnxruntime' in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Corners" in done.stdout
    assert done.stderr == ""


def test_what_cannot_be_is_one_clear_message(
    benchmark: BenchmarkSet, repeating: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = ("--data", benchmark.folder)
    assert "no network is called 'studnet'" in failure(capsys, "studnet", *data)
    assert "absent.onnx" in failure(capsys, tmp_path / "absent.onnx", *data)
    assert "--scale 4" in failure(capsys, repeating, "--scale", 2, *data)
    assert "tiles of 12, not 16" in failure(capsys, repeating, "--tile", 16, *data)
    with_weights = (repeating, "--weights", tmp_path / "w.safetensors", *data)
    assert "holds its own weights" in failure(capsys, *with_weights)
    absent = ("student", "--weights", tmp_path / "w.safetensors", *data)
    assert "w.safetensors: cannot be read" in failure(capsys, *absent)
    assert "no HR/ in it" in failure(capsys, "bicubic", "--data", benchmark.folder / "HR")
    assert "no such folder" in failure(capsys, repeating, "--data", tmp_path / "absent")
