"""The shipped networks, as users run them: the ONNX file in tiles, through the command line.

The student's floors stand above every row of Table I; those of the rivals are what their
authors' weights have on Set5. All were measured by the protocol of `edgesr eval`.
"""

import json
import os
from pathlib import Path

import pytest

from edgesr.cli import main
from edgesr.weights import shipped_names

FLOORS_DB = {
    "student": {"Set5": 31.3, "Set14": 28.0, "BSD100": 27.1},
    "espcn": {"Set5": 30.34},
    "fsrcnn": {"Set5": 30.01},
    "esr": {"Set5": 30.43},
}
IMAGES = {"Set5": 5, "Set14": 14, "BSD100": 100}
CASES = [
    (name, benchmark)
    for name, floors in FLOORS_DB.items()
    if (name, 4) in shipped_names()
    for benchmark in floors
]


@pytest.mark.parametrize(("network", "name"), CASES)
def test_a_shipped_network_reaches_its_floor(
    network: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = os.environ.get("EDGESR_DATA")
    if root is None:
        pytest.skip("EDGESR_DATA names no folder with Set5, Set14 and BSD100")
    with pytest.raises(SystemExit) as end:
        main(["eval", network, "--data", str(Path(root) / name), "--json"])
    captured = capsys.readouterr()
    assert end.value.code == 0, captured.err
    result = json.loads(captured.out)
    assert result["protocol"]["run"].startswith("onnxruntime, tiles of ")
    assert result["images"] == IMAGES[name]
    assert result["psnr_y_db"] >= FLOORS_DB[network][name]
    assert result["ssim_y"] > result["bicubic_ssim_y"]
