"""Every network by the same commands: train, export, build-engine, upscale, eval.

Networks are found in the registry, so one that is added is tested here by being there.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from small_networks import SMALL, TWINS

from edgesr.cli import main

TINY = "mambalitesr:D8-G1-B1-N2-SKIP"  # in place of the Mamba networks, which take minutes here
SIDE = 16
pytestmark = pytest.mark.usefixtures("shared_traces")


@pytest.fixture
def photos(tmp_path: Path, data: Path) -> Path:
    """A folder with photos/one.png and a set."""
    city = cv2.imread(str(data / "city_512.jpg"))
    for folder, picture in (("photos", city[:96, :80]), ("set/HR", city[200:264, 100:180])):
        (tmp_path / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "one.png"), picture)
    return tmp_path


LONG = {TWINS["smfanet-plus"]}  # smfanet's twin is of the same parts


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] * (name in LONG)) for name in (*SMALL, TINY)],
)
def test_from_photographs_to_an_engine(
    name: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: object) -> dict[str, Any]:
        with pytest.raises(SystemExit) as end:
            main([*map(str, arguments), "--json"])
        said = capsys.readouterr()
        assert end.value.code == 0, said.err
        document: dict[str, Any] = json.loads(said.out)
        return document

    weights: list[object] = []
    if name != "bicubic":  # which has nothing to train
        trained = run(
            "train", "--model", name, "--data", photos / "photos", "-o", photos / "run",
            "--steps", 2, "--batch", 2, "--patch", SIDE, "--warmup", 1, "--device", "cpu",
        )  # fmt: skip
        assert trained["step"] == 2
        weights = ["--weights", trained["weights"]]
    onnx = photos / "network.onnx"
    manifest = run("export", "--model", name, *weights, "--tile", SIDE, "-o", onnx)
    assert manifest["parity"]["max_abs_difference"] < 1e-4
    engine = run("build-engine", "-m", onnx, "--board", "rtx", "-o", photos / "network.engine")
    assert (engine["network"], engine["onnx_sha256"]) == (name, manifest["onnx_sha256"])

    picture = photos / "photos/one.png"
    upscaled = run("upscale", picture, "-m", onnx, "-o", photos / "x4.png")
    assert upscaled["output_size"] == [320, 384]
    assert np.ptp(cv2.imread(str(photos / "x4.png"))) > 0

    # The tiles of the ONNX file and whole pictures in torch are one network.
    tiled = run("eval", "-m", onnx, "--data", photos / "set")
    assert tiled["images"] == 1
    if weights:
        whole = run("eval", "-m", name, *weights, "--tile", SIDE, "--data", photos / "set")
        assert whole["psnr_y_db"] == pytest.approx(tiled["psnr_y_db"], abs=0.01)
    else:
        assert tiled["psnr_y_db"] == pytest.approx(tiled["bicubic_psnr_y_db"], abs=0.1)
