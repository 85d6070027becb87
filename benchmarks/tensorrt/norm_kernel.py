"""The norm's kernel against torch in float64; `mixer_kernel.py` calls it on a GPU."""

import ctypes
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from edgesr.errors import EngineError

EPSILON = 1e-5
WIDTHS = (1, 7, 32, 36, 60, 64, 120, 128, 130, 240, 1024)
TOKENS = 4096 + 3
BOUNDS = {False: 2e-6, True: 1e-3}
"""Largest error over the largest value, of float32 and of float16."""
Json = dict[str, Any]


def launch_norm(
    library: ctypes.CDLL, tensors: tuple[torch.Tensor, ...], stream: int | None = None
) -> None:
    """Enqueue a norm: x (tokens, C), weight (C), bias (C), y (tokens, C).

    Raises:
        EngineError: the launch failed.
    """
    x = tensors[0]
    addresses = (ctypes.c_void_p * 4)(*(tensor.data_ptr() for tensor in tensors))
    failed = library.edgesr_norm_launch(
        addresses, x.shape[0], x.shape[1], ctypes.c_float(EPSILON), x.dtype == torch.float16,
        ctypes.c_void_p(stream),
    )  # fmt: skip
    if failed:
        raise EngineError(f"the norm failed with CUDA's error {failed}", where=tuple(x.shape))


def norm_tensors(
    tokens: int, channels: int, half: bool, device: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return x, weight, bias and a y of NaN."""
    generator = torch.Generator().manual_seed(channels)
    x = torch.randn(tokens, channels, generator=generator) + 0.5
    weight, bias = torch.randn(2, channels, generator=generator)
    x = x.half() if half else x
    y = torch.full_like(x, float("nan"))
    return x.to(device), weight.to(device), bias.to(device), y.to(device)


def check_norms(library: ctypes.CDLL, device: str, tokens: int = TOKENS) -> list[Json]:
    """Return the error of each width and type, and whether it is within its bound."""
    rows = []
    for half, bound in BOUNDS.items():
        for channels in WIDTHS:
            tensors = norm_tensors(tokens, channels, half, device)
            if device == "cuda":
                launch_norm(library, tensors, torch.cuda.current_stream().cuda_stream)
            else:
                launch_norm(library, tensors)
            x, weight, bias, y = (tensor.cpu().double() for tensor in tensors)
            expected = F.layer_norm(x, (channels,), weight, bias, EPSILON)
            found = float((y - expected).abs().max() / expected.abs().max())
            rows.append({"channels": channels, "half": half, "error": found, "ok": found < bound})
    return rows


def norm_times(
    library: ctypes.CDLL, time_us: Callable[[Callable[[], Any]], float], tokens: int = 64 * 64
) -> list[Json]:
    """Return the times of the student's and the teacher's norm on a tile, and of torch's.

    Args:
        library: holds the kernel.
        time_us: times what puts work on torch's current stream of a GPU.
        tokens: of a tile.
    """
    rows: list[Json] = []
    for channels in (32, 60):
        for half in (False, True):
            tensors = norm_tensors(tokens, channels, half, "cuda")
            x, weight, bias, _ = tensors
            own = weight.to(x.dtype), bias.to(x.dtype)

            def ours(tensors: tuple[torch.Tensor, ...] = tensors) -> None:
                launch_norm(library, tensors, torch.cuda.current_stream().cuda_stream)

            def theirs(x: torch.Tensor = x, own: Any = own) -> None:
                F.layer_norm(x, (x.shape[1],), *own)

            times = {"us": time_us(ours), "torch_us": time_us(theirs)}
            rows.append({"channels": channels, "half": half, **times})
    return rows
