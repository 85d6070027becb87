"""The shipped networks, as users run them: the ONNX file in tiles, through the command line.

The student's floors stand a little below what it has, and above every row of Table I; those of
the rivals are what their authors' weights have on Set5. All were measured by the protocol of
`edgesr eval`.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgesr.cli import main
from edgesr.weights import shipped

FLOORS_DB = {
    ("student", 4): {"Set5": 31.8, "Set14": 28.25, "BSD100": 27.42},
    ("student", 2): {"Set5": 37.6, "Set14": 33.15},
    ("espcn", 4): {"Set5": 30.34},
    ("fsrcnn", 4): {"Set5": 30.01},
    ("esr", 4): {"Set5": 30.43},
}
IMAGES = {"Set5": 5, "Set14": 14, "BSD100": 100}
ALWAYS = {("student", 4, "Set5"), ("espcn", 4, "Set5"), ("fsrcnn", 4, "Set5"), ("esr", 4, "Set5")}
CASES = [
    pytest.param(*case, marks=[pytest.mark.long] * (case not in ALWAYS))
    for network, floors in FLOORS_DB.items()
    for case in ((*network, benchmark) for benchmark in floors)
]
TILES_LOSE_DB = 0.05
"""What the pipeline of tiles may lose against the network on whole pictures."""

Eval = Callable[..., dict[str, Any]]


@pytest.fixture
def evaluate(capsys: pytest.CaptureFixture[str]) -> Eval:
    """`edgesr eval -m NETWORK --data SET OPTIONS --json`."""
    root = os.environ.get("EDGESR_DATA")
    if root is None:
        pytest.skip("EDGESR_DATA names no folder with Set5, Set14 and BSD100")

    def run(network: str, benchmark: str, *options: str) -> dict[str, Any]:
        with pytest.raises(SystemExit) as end:
            main(["eval", "-m", network, "--data", str(Path(root) / benchmark), *options, "--json"])
        captured = capsys.readouterr()
        assert end.value.code == 0, captured.err
        result: dict[str, Any] = json.loads(captured.out)
        return result

    return run


@pytest.mark.parametrize(("network", "scale", "name"), CASES)
def test_a_shipped_network_reaches_its_floor(
    network: str, scale: int, name: str, evaluate: Eval
) -> None:
    result = evaluate(network, name, "--scale", str(scale))
    assert result["protocol"]["run"].startswith("onnxruntime, tiles of ")
    assert result["images"] == IMAGES[name]
    assert result["psnr_y_db"] >= FLOORS_DB[network, scale][name]
    assert result["ssim_y"] > result["bicubic_ssim_y"]


@pytest.mark.long
def test_tiles_lose_nothing_that_shows(evaluate: Eval) -> None:
    pytest.importorskip("torch")
    whole = evaluate("student", "Set14", "--weights", str(shipped("student", 4, "safetensors")))
    assert whole["protocol"]["run"].startswith("torch, whole pictures")
    assert evaluate("student", "Set14")["psnr_y_db"] >= whole["psnr_y_db"] - TILES_LOSE_DB
