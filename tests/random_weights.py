"""Weights of a network as it is initialised, saved as users have them."""

from pathlib import Path

import torch

from edgesr.models import get_network
from edgesr.models.checkpoint import save_weights


def save_random_weights(path: Path, network: str) -> Path:
    """Write the weights of a x4 network, the same at every call; return the path."""
    torch.manual_seed(0)
    save_weights(path, get_network(network).module(4), network, {})
    return path
