"""The shipped student, as users run it: the ONNX file in tiles, through the command line.

The floors stand beside eSR's 30.43, 27.47 and 26.83 dB, measured with its authors' weights.
"""

import json
import os
from pathlib import Path

import pytest

from edgesr.cli import main

FLOORS_DB = {"Set5": 30.4, "Set14": 27.5, "BSD100": 26.8}
IMAGES = {"Set5": 5, "Set14": 14, "BSD100": 100}


@pytest.mark.parametrize("name", FLOORS_DB)
def test_the_shipped_student_reaches_its_floor(name: str, capsys: pytest.CaptureFixture[str]):
    root = os.environ.get("EDGESR_DATA")
    if root is None:
        pytest.skip("EDGESR_DATA names no folder with Set5, Set14 and BSD100")
    with pytest.raises(SystemExit) as end:
        main(["eval", "student", "--data", str(Path(root) / name), "--json"])
    captured = capsys.readouterr()
    assert end.value.code == 0, captured.err
    result = json.loads(captured.out)
    assert result["protocol"]["run"].startswith("onnxruntime, tiles of ")
    assert result["images"] == IMAGES[name]
    assert result["psnr_y_db"] >= FLOORS_DB[name]
    assert result["ssim_y"] > result["bicubic_ssim_y"]
