"""Weights for export tests: a real but small network, initialised and saved as users have it."""

from pathlib import Path

import pytest
import torch

from edgesr.models import get_network
from edgesr.models.checkpoint import save_weights

SMALL = "mambalitesr:D8-G1-B2-N4-SKIP"


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small_x4.safetensors"
    torch.manual_seed(0)
    save_weights(path, get_network(SMALL).module(4), SMALL, {})
    return path
