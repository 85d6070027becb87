"""Smaller copies of photographs for training, as a person makes them."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from edgesr.imaging.resize import imresize

ROOT = Path(__file__).parents[2]
CITY = ROOT / "tests" / "data" / "city_512.jpg"


def shrunk(*folders: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.release.shrunk_photos", *map(str, folders)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )


def test_copies_are_those_of_the_benchmarks_kernel_and_no_copies_of_copies(tmp_path: Path) -> None:
    city = cv2.imread(str(CITY))
    cv2.imwrite(str(tmp_path / "city.png"), city)  # 512x512: 0.35 of it is too small
    cv2.imwrite(str(tmp_path / "small.png"), city[:300, :300])
    cv2.imwrite(str(tmp_path / "large.png"), np.tile(city, (2, 2, 1)))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    out = tmp_path / "shrunk"
    for named in (out, Path(os.path.relpath(out))):
        done = shrunk(tmp_path, named)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"3 copies of 4 pictures in {named}\n"
        names = sorted(path.name for path in out.iterdir())
        assert names == ["city_0.6.png", "large_0.35.png", "large_0.6.png"]
    np.testing.assert_array_equal(cv2.imread(str(out / "city_0.6.png")), imresize(city, 0.6))


def test_no_folder_is_one_clear_error(tmp_path: Path) -> None:
    done = shrunk(tmp_path / "none", tmp_path / "out")
    assert done.returncode == 1
    assert "is no folder" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
