"""What tests of `edgesr upscale` share."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr.cli import main


def run(*arguments: object) -> int:
    """Run the command in this process; return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        main(["upscale", *map(str, arguments)])
    return int(exit_.value.code or 0)


def repeated(path: Path) -> np.ndarray:
    """Return the picture as the network `nearest` enlarges it."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED).repeat(4, axis=0).repeat(4, axis=1)
