"""Locality before a norm: a depthwise convolution added to the tokens, then LayerNorm of the sum.

    u = t + conv(t),   y = LayerNorm(u)

A scan reaches the pixels above and below only through a whole row of others; the convolution sees
them directly. On a GPU both are one kernel, and the gradient of u, which goes on beside y, is added
where the norm's gradient is made.
"""

from typing import Any

import torch
from torch import Tensor, nn

from edgesr.models.network import image, tokens
from edgesr.models.token_norm import TokenNorm, norm_gradients
from edgesr.scan.fused import fused_available

# A program's block of pixels (see local_norm_kernels.py), and its warps.
FORWARD = {"STRIP": 16, "DEPTH": 16, "AHEAD": True, "num_warps": 4}
BACKWARD = {"STRIP": 16, "DEPTH": 16, "AHEAD": True, "num_warps": 4}


class Locality(nn.Conv2d):
    """A depthwise convolution that starts at zero, so that a fresh network is as without it.

    Args:
        width: channels of a token.
        side: of the kernel in pixels, odd.
    """

    def __init__(self, width: int, side: int) -> None:
        super().__init__(width, width, side, padding=side // 2, groups=width, bias=False)
        nn.init.zeros_(self.weight)


def add_and_normalise(
    t: Tensor, locality: Locality, norm: TokenNorm, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Return u = t + locality(t) and norm(u).

    Args:
        t: (batch, height*width, d).
        locality: the convolution.
        norm: the norm behind it.
        height: rows of pixels.
        width: columns of pixels.

    Returns:
        Two tensors (batch, height*width, d).
    """
    if not (norm.fuse and fused_available(t)):
        u = t + tokens(locality(image(t, height, width)))
        return u, norm(u)
    weights = locality.weight, norm.weight, norm.bias
    out: tuple[Tensor, Tensor] = _LocalNorm.apply(  # type: ignore[no-untyped-call]
        t, *weights, norm.eps, norm.output_dtype(t), (height, width)
    )
    return out


def _sizes(t: Tensor, kernel: Tensor, size: tuple[int, int]) -> dict[str, Any]:
    """Return the numbers that both kernels take."""
    d = t.shape[-1]
    return {
        "width": d, "BLOCK": 1 << (d - 1).bit_length(),
        "HEIGHT": size[0], "WIDTH": size[1], "SIDE": kernel.shape[-1], "enable_fp_fusion": True,
    }  # fmt: skip


def _programs(t: Tensor, size: tuple[int, int], block: dict[str, int]) -> int:
    """Return how many blocks of pixels t has."""
    per_picture = -(-size[0] // block["DEPTH"]) * -(-size[1] // block["STRIP"])
    return t.numel() // (size[0] * size[1] * t.shape[-1]) * per_picture


class _LocalNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        t: Tensor,
        kernel: Tensor,
        gain: Tensor,
        offset: Tensor,
        epsilon: float,
        dtype: torch.dtype,
        size: tuple[int, int],
    ) -> tuple[Tensor, Tensor]:
        from edgesr.models.local_norm_kernels import local_norm_forward

        t, kernel = t.contiguous(), kernel.contiguous()
        u, y = torch.empty_like(t), torch.empty(t.shape, dtype=dtype, device=t.device)
        local_norm_forward[(_programs(t, size, FORWARD),)](
            t, kernel, gain, offset, u, y, epsilon=epsilon, **_sizes(t, kernel, size), **FORWARD
        )
        ctx.epsilon, ctx.size = epsilon, size
        ctx.save_for_backward(t, kernel, u, gain)
        return u, y

    @staticmethod
    def backward(ctx: Any, du: Tensor, dy: Tensor) -> Any:
        from edgesr.models.local_norm_kernels import local_backward

        t, kernel, u, gain = ctx.saved_tensors
        total, dgain, doffset = norm_gradients(u, gain, ctx.epsilon, dy, du)
        programs = _programs(t, ctx.size, BACKWARD)
        d, taps = t.shape[-1], kernel.shape[-1] ** 2
        dt = torch.empty_like(t)
        dkernel = gain.new_empty(programs, taps, d, dtype=torch.float32)
        local_backward[(programs,)](
            t, kernel, total, dt, dkernel, **_sizes(t, kernel, ctx.size), **BACKWARD
        )
        dkernel = dkernel.sum(0).T.reshape(kernel.shape).to(kernel.dtype)
        return dt, dkernel, dgain, doffset, None, None, None
