"""Numbers that every batch needs on its device, copied there once.

A copy from ordinary memory waits until the device has done all that it was given, which would keep
each batch from being prepared while the step before it runs.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor


@cache
def constant(values: tuple[Any, ...], device: torch.device) -> Tensor:
    """Return numbers, or rows of numbers, as a float32 tensor on the device; not to be changed."""
    return torch.tensor(values, dtype=torch.float32, device=device)
