"""Too little memory is called so, in one line, wherever it is found out."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

CHILD = """
import resource, sys
from edgesr.cli import main

def run(picture):
    try:
        main(["upscale", picture, "-m", sys.argv[1], "-o", "out.png", "--overwrite"])
    except SystemExit as end:
        return end.code

assert run("small.png") == 0  # every library is loaded
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + int(sys.argv[2]), -1))
sys.exit(run("large.webp"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set by what Linux tells")
@pytest.mark.parametrize("more_bytes", [0, 1 << 20, 1 << 24])
def test_it_is_one_line(tmp_path: Path, more_bytes: int) -> None:
    grey = np.full((3000, 4000, 3), 99, np.uint8)
    cv2.imwrite(str(tmp_path / "small.png"), grey[:8, :8])
    cv2.imwrite(str(tmp_path / "large.webp"), grey)
    command = [sys.executable, "-c", CHILD, "bicubic", str(more_bytes)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    line, fix = done.stderr.strip().splitlines()[-2:]
    assert line.startswith("error: ")
    assert "too little memory" in line
    assert fix.startswith("  try: close other programs")
    assert "Traceback" not in done.stderr
