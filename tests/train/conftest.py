"""A few small crops of a real photograph, and the configuration of a run that takes seconds."""

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from edgesr.train.config import TrainConfig

SIDES = ((64, 64), (97, 70), (50, 120), (66, 65))  # height, width; not all multiples of a scale
TINY = "mambalitesr:D8-G1-B1-N2"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of four PNG files, cut from tests/data/city_512.jpg."""
    folder = tmp_path_factory.mktemp("pictures")
    city = cv2.imread(str(Path(__file__).parents[1] / "data" / "city_512.jpg"))
    for number, (height, width) in enumerate(SIDES):
        top = 100 * number
        cv2.imwrite(str(folder / f"crop{number}.png"), city[top : top + height, top : top + width])
    return folder


@pytest.fixture
def tiny(pictures: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    """Make a configuration of a small network, small patches, a few steps, float32 on the CPU."""

    def make(name: str = "run", **fields: object) -> TrainConfig:
        defaults = {
            "data": pictures, "out": tmp_path / name, "model": TINY, "patch": 8, "batch": 4,
            "steps": 12, "lr": 3e-3, "warmup": 2, "precision": "fp32", "device": "cpu",
            "log_every": 4, "checkpoint_every": 4,
        }  # fmt: skip
        return TrainConfig(**{**defaults, **fields})  # type: ignore[arg-type]

    return make
