"""Weights for export tests: a real but small network, initialised and saved as users have it."""

from pathlib import Path

import pytest
from random_weights import save_random_weights

SMALL = "mambalitesr:D8-G1-B2-N4-SKIP"


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_weights(tmp_path_factory.mktemp("weights") / "small_x4.safetensors", SMALL)
