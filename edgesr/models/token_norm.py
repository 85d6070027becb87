"""LayerNorm over the channels of tokens, fused on a GPU.

A token has 32 or 60 channels, a batch half a million tokens. torch's kernel gives every row a
block of threads of its own; here a program takes 64 rows. Parameters, their names and the results
on other devices are those of `torch.nn.LayerNorm`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from edgesr.scan.fused import fused_available

ROWS = 64  # of a tile
PROGRAMS = 1024  # of the backward pass, each with a partial sum


class TokenNorm(nn.LayerNorm):
    """LayerNorm of (batch, L, d).

    Under autocast the result has autocast's dtype, where nn.LayerNorm gives float32 for the next
    matrix product to convert; `stream` keeps float32, for what is added to layer after layer.

    Attributes:
        fuse: take the fused kernel where there is a GPU for it; False: torch's, also where a
            convolution before it would be fused with it. Results differ by rounding.
    """

    fuse: bool = True

    def __init__(self, width: int, stream: bool = False) -> None:
        super().__init__(width)
        self.stream = stream

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, L, d) -> (batch, L, d)."""
        if not (self.fuse and fused_available(tokens)):
            return super().forward(tokens)
        return fused_norm(tokens, self.weight, self.bias, self.eps, self.output_dtype(tokens))

    def output_dtype(self, tokens: Tensor) -> torch.dtype:
        """Return the dtype of the result on a GPU."""
        if not torch.is_autocast_enabled("cuda"):
            return tokens.dtype
        return torch.float32 if self.stream else torch.get_autocast_dtype("cuda")


def fused_norm(
    x: Tensor, weight: Tensor, bias: Tensor, epsilon: float, dtype: torch.dtype
) -> Tensor:
    """Normalise over the last axis; float32 inside, the result in `dtype`; differentiable.

    x is (..., channels) on a GPU; weight and bias are (channels,).
    """
    out: Tensor = _Norm.apply(x, weight, bias, epsilon, dtype)  # type: ignore[no-untyped-call]
    return out


def _constants(width: int, epsilon: float) -> dict[str, float]:
    # As an argument, epsilon is float64 under torch.compile, and so is all that it meets.
    block = 1 << (width - 1).bit_length()
    return {
        "epsilon": epsilon, "ROWS": ROWS, "BLOCK": block, "num_warps": 4, "enable_fp_fusion": True,
    }  # fmt: skip


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, epsilon: float, dtype: torch.dtype
    ) -> Tensor:
        from edgesr.models.token_norm_kernels import norm_forward

        x = x.contiguous()
        y = torch.empty(x.shape, dtype=dtype, device=x.device)
        width = x.shape[-1]
        rows = x.numel() // width
        norm_forward[(-(-rows // ROWS),)](
            x, weight, bias, y, rows, width, **_constants(width, epsilon)
        )
        ctx.epsilon = epsilon
        ctx.save_for_backward(x, weight)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        return *norm_gradients(x, weight, ctx.epsilon, dy), None, None


def norm_gradients(
    x: Tensor, weight: Tensor, epsilon: float, dy: Tensor, added: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of x, weight and bias; `added` is a further gradient of x.

    x, dy and `added` are (..., channels), weight is (channels,); the results are as their values.
    """
    from edgesr.models.token_norm_kernels import norm_backward

    width = x.shape[-1]
    rows = x.numel() // width
    tiles = -(-rows // ROWS)
    programs = min(tiles, PROGRAMS)
    dx = torch.empty_like(x)
    sums = weight.new_empty(2, programs, width, dtype=torch.float32)
    norm_backward[(programs,)](
        x, weight, dy.contiguous(), dx if added is None else added.contiguous(), dx,
        sums[0], sums[1], rows, tiles, width,
        **_constants(width, epsilon), ADD=added is not None,
    )  # fmt: skip
    dweight, dbias = sums.sum(1).to(weight.dtype)
    return dx, dweight, dbias
