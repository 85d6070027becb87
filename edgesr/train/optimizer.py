"""The optimizer's parameter groups and the moving average of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from edgesr.train.config import TrainConfig


def decays(name: str, parameter: Tensor) -> bool:
    """Tell whether weight decay applies: to matrices and kernels, not to the rest.

    Biases, norms and Mamba's A_log, D and step-size bias set scales and time constants; pulling
    them to zero changes what the network is. The reference Mamba exempts the same ones.
    """
    return parameter.ndim > 1 and not name.endswith("A_log")


def build_optimizer(config: TrainConfig, network: nn.Module) -> torch.optim.Optimizer:
    """Return Adam or AdamW over two groups, with and without decay."""
    decayed: list[Tensor] = []
    plain: list[Tensor] = []
    for name, parameter in network.named_parameters():
        (decayed if decays(name, parameter) else plain).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    fused = all(parameter.is_cuda for parameter in network.parameters())
    return kind(groups, lr=config.lr, betas=(0.9, 0.99), fused=fused)


class Average:
    """Exponential moving average of a network's parameters, float32.

    The decay rises with the step, min(decay, (1 + step) / (10 + step)), so that the random start
    is forgotten quickly.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._source: list[Tensor] = list(network.parameters())
        self.values = [parameter.detach().clone() for parameter in self._source]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the network's parameters after `step` steps."""
        weight = 1 - min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, self._source, weight)

    def load(self, values: list[Tensor]) -> None:
        """Take over averaged values, in the order of the network's parameters."""
        _copy(self.values, values)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averaged values into the network while the block runs."""
        kept = [parameter.detach().clone() for parameter in self._source]
        _copy(self._source, self.values)
        try:
            yield
        finally:
            _copy(self._source, kept)


@torch.no_grad()
def _copy(targets: list[Tensor], sources: list[Tensor]) -> None:
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)
