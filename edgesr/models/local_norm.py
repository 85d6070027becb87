"""Locality before a norm: a depthwise convolution added to the tokens, then LayerNorm of the sum.

    u = t + conv(t),   y = LayerNorm(u)

A scan reaches the pixels above and below only through a whole row of others; the convolution sees
them directly. On a GPU both are one kernel, and the gradient of u, which goes on beside y, is added
where the norm's gradient is made.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from edgesr.models.network import image, tokens
from edgesr.models.token_norm import TokenNorm, norm_gradients
from edgesr.scan.fused import fused_available


@dataclass(frozen=True)
class Share:
    """A program's share of a picture.

    Attributes:
        warps: of 32 threads.
        per_thread: channels of a thread in a row of it; sets how many pixels a row has.
        depth: rows.
    """

    warps: int
    per_thread: int
    depth: int

    def strip(self, channels: int) -> int:
        """Return the pixels of a row, for a power of two of channels."""
        return max(1, 32 * self.warps * self.per_thread // channels)


# The backward pass keeps a sum for every tap of every channel of a thread: four channels fill the
# registers, and are what one instruction loads.
FORWARD = Share(warps=2, per_thread=4, depth=8)
BACKWARD = Share(warps=2, per_thread=4, depth=32)


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


def _launch(
    t: Tensor, kernel: Tensor, size: tuple[int, int], share: Share
) -> tuple[int, dict[str, Any]]:
    """Return how many programs a kernel needs, and the numbers that both kernels take."""
    height, width = size
    d = t.shape[-1]
    channels = 1 << (d - 1).bit_length()
    strip = share.strip(channels)
    pictures = t.numel() // (height * width * d)
    return pictures * -(-height // share.depth) * -(-width // strip), {
        "width": d, "BLOCK": channels, "HEIGHT": height, "WIDTH": width, "SIDE": kernel.shape[-1],
        "STRIP": strip, "DEPTH": share.depth, "num_warps": share.warps, "enable_fp_fusion": True,
    }  # fmt: skip


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
        programs, numbers = _launch(t, kernel, size, FORWARD)
        local_norm_forward[(programs,)](t, kernel, gain, offset, u, y, epsilon=epsilon, **numbers)
        ctx.epsilon, ctx.size = epsilon, size
        ctx.save_for_backward(t, kernel, u, gain)
        return u, y

    @staticmethod
    def backward(ctx: Any, du: Tensor, dy: Tensor) -> Any:
        from edgesr.models.local_norm_kernels import local_backward

        t, kernel, u, gain = ctx.saved_tensors
        total, dgain, doffset = norm_gradients(u, gain, ctx.epsilon, dy, du)
        programs, numbers = _launch(t, kernel, ctx.size, BACKWARD)
        d, taps = t.shape[-1], kernel.shape[-1] ** 2
        dt = torch.empty_like(t)
        dkernel = gain.new_empty(programs, taps, d, dtype=torch.float32)
        local_backward[(programs,)](t, kernel, total, dt, dkernel, **numbers)
        dkernel = dkernel.sum(0).T.reshape(kernel.shape).to(kernel.dtype)
        return dt, dkernel, dgain, doffset, None, None, None
