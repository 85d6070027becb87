"""The script of docs/benchmark-sets.md lays out sets that `edgesr eval` reads."""

import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
from documents import ROOT, pages, scripts

from edgesr.evaluate.datasets import open_sets
from edgesr.imaging.resize import imresize

PAGE = ROOT / "docs/benchmark-sets.md"
SETS = ("Set5", "Set14", "BSD100", "Urban100")

# Makes, where the real program would fetch, the repository's folders with small pictures.
GIT = """#!/bin/sh
[ "$1" = clone ] && cp -r "$CLONED" SelfExSR
"""


def test_the_script_lays_the_sets_out(tmp_path: Path) -> None:
    (script,) = scripts(PAGE, "sh")
    assert [page for page in pages() if scripts(page, "sh")] == [PAGE]
    photo = cv2.imread(str(ROOT / "tests/data/photo.png"))
    hr = np.ascontiguousarray(photo[:64, :48])
    for name in SETS:
        folder = tmp_path / "cloned/data" / name / "image_SRF_4"
        folder.mkdir(parents=True)
        for number in (1, 2):
            cv2.imwrite(str(folder / f"img_00{number}_SRF_4_HR.png"), hr)
            cv2.imwrite(str(folder / f"img_00{number}_SRF_4_LR.png"), imresize(hr, 0.25))
    git = tmp_path / "bin/git"
    git.parent.mkdir()
    git.write_text(GIT)
    git.chmod(0o755)
    (tmp_path / "work").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{git.parent}:{os.environ['PATH']}",
        "CLONED": str(tmp_path / "cloned"),
    }
    subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path / "work", env=environment, check=True)
    sets = open_sets([tmp_path / "work/sets" / name for name in SETS], 4)
    assert [found.name for found in sets] == list(SETS)
    for found in sets:
        assert [pair.name for pair in found.pairs] == ["img_001", "img_002"]
        assert all(pair.lr is not None for pair in found.pairs)
        assert found.pairs[0].load().lr.height == 16
