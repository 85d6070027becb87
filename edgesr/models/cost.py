"""Multiply-adds of a network, counted while it runs on tensors without memory.

Counted are the products of convolutions and linear maps, and what a module says of itself: one
with a method `multiply_adds(input)` adds the products of its own forward, those of its submodules
excepted. The selective scan is counted so, as 4 L E N (dt A; decay times h; dt x times B; C times
h). Not counted: exponentials, norms, activations, softmax and other elementwise work.
"""

import math
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from edgesr.models.network import SRNetwork
from edgesr.models.registry import Network


@runtime_checkable
class CountsItself(Protocol):
    """A module with products outside its submodules."""

    def multiply_adds(self, x: Tensor) -> int:
        """Return the multiply-adds of `forward(x)`, those of submodules excepted."""
        ...


def multiply_adds(network: Network, scale: int, height: int, width: int) -> int:
    """Return the multiply-adds for one picture of `height` x `width` pixels.

    Args:
        network: from the registry.
        scale: one of its scales.
        height: of the input.
        width: of the input.

    Raises:
        ConfigError: the network does not exist at this scale.
    """
    module = network.module(scale).to("meta")
    with torch.inference_mode():
        return _count(module, torch.empty(1, 3, height, width, device="meta"))


def _count(module: SRNetwork, lr: Tensor) -> int:
    total = 0

    def add(part: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        nonlocal total
        total += _own(part, inputs[0], output)

    handles = [part.register_forward_hook(add) for part in module.modules()]
    try:
        module(lr)
    finally:
        for handle in handles:
            handle.remove()
    return total


def _own(part: nn.Module, x: Tensor, output: Any) -> int:
    if isinstance(part, nn.Linear):
        return int(output.numel()) * part.in_features
    if isinstance(part, nn.Conv1d | nn.Conv2d):
        per_output = part.in_channels // part.groups * math.prod(part.kernel_size)
        return int(output.numel()) * per_output
    if isinstance(part, nn.ConvTranspose2d):
        per_input = part.out_channels // part.groups * math.prod(part.kernel_size)
        return x.numel() * per_input
    return part.multiply_adds(x) if isinstance(part, CountsItself) else 0
