"""The selective scan for CUDA: Triton kernels forward and backward, float32 state.

The specification is `edgesr.scan.reference`. The kernels are in `fused_kernels`.
"""

import importlib.util
from typing import Any

import torch
from torch import Tensor

CHUNK = 8  # steps between saved states, and unrolled
RESIDENT_WARPS = 132 * 8  # enough warps to fill a large GPU; below it sequences are split
SHORTEST_SEGMENT = 64


def fused_available(x: Tensor) -> bool:
    """Return whether `selective_scan_fused` can run on x: a CUDA tensor, and Triton there."""
    return x.is_cuda and importlib.util.find_spec("triton") is not None


def selective_scan_fused(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor
) -> Tensor:
    """Run the scan on a GPU; differentiable for all six inputs.

    Inputs may be float32, bfloat16 or float16, mixed and strided; the state is float32.

    Args:
        x: (batch, L, E) input.
        dt: (batch, L, E) step sizes, positive (after softplus).
        A: (E, N) decay rates, negative.
        B: (batch, L, N) input weights.
        C: (batch, L, N) output weights.
        D: (E,) direct term.

    Returns:
        (batch, L, E), in the dtype of x.
    """
    out: Tensor = _Scan.apply(x, dt, A, B, C, D)  # type: ignore[no-untyped-call]
    return out


class _Tiling:
    """How one problem is cut into programs."""

    def __init__(self, x: Tensor, states: int) -> None:
        self.batch, self.length, self.channels = x.shape
        self.N = states
        self.NP = 1 << (states - 1).bit_length()
        self.BLOCK_E = max(8, 32 // self.NP)
        self.blocks = -(-self.channels // self.BLOCK_E)
        wanted = RESIDENT_WARPS // (self.blocks * self.batch)
        segments = max(1, min(wanted, self.length // SHORTEST_SEGMENT))
        self.segment = -(-self.length // segments // CHUNK) * CHUNK
        self.segments = -(-self.length // self.segment)
        self.chunks = -(-self.length // CHUNK)

    @property
    def grid(self) -> tuple[int, int, int]:
        return self.blocks, self.batch, self.segments

    @property
    def constants(self) -> dict[str, int]:
        return {
            "N": self.N, "NP": self.NP, "BLOCK_E": self.BLOCK_E, "num_warps": 1,
            "enable_fp_fusion": True,
        }  # fmt: skip


def _starts(u: Tensor, dt: Tensor, a: Tensor, w: Tensor, cut: _Tiling, reverse: bool) -> Tensor:
    """Return the state each segment starts from: (batch, segments, E, N)."""
    from edgesr.scan.fused_kernels import carry, segment_ends

    ends = a.new_empty(cut.batch, cut.segments, cut.channels, cut.N)
    sums = a.new_empty(cut.batch, cut.segments, cut.channels)
    segment_ends[cut.grid](
        u, dt, a, w, ends, sums, *u.stride(), *dt.stride(), *w.stride()[:2],
        cut.length, cut.channels, cut.segment, K=CHUNK, REVERSE=reverse, **cut.constants,
    )  # fmt: skip
    carry[cut.grid[:2]](
        ends, sums, a, cut.segments, cut.channels, REVERSE=reverse, **cut.constants
    )
    return ends


def _rows(w: Tensor) -> Tensor:
    """Return w with a last stride of 1, as the kernels read B and C."""
    return w if w.stride(-1) == 1 else w.contiguous()


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        from edgesr.scan.fused_kernels import scan_forward

        x, dt, A, B, C, D = inputs
        a, d, b, c = A.float().contiguous(), D.float().contiguous(), _rows(B), _rows(C)
        cut = _Tiling(x, A.shape[1])
        y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        save = any(ctx.needs_input_grad)
        states = a.new_empty(cut.batch, cut.chunks, cut.channels, cut.N) if save else a
        split = cut.segments > 1
        starts = _starts(x, dt, a, b, cut, reverse=False) if split else a
        scan_forward[cut.grid](
            x, dt, a, b, c, d, y, states, starts,
            *x.stride(), *dt.stride(), *b.stride()[:2], *c.stride()[:2],
            cut.length, cut.channels, cut.segment,
            K=CHUNK, SAVE=save, SPLIT=split, **cut.constants,
        )  # fmt: skip
        ctx.cut = cut
        ctx.dtypes = [tensor.dtype for tensor in inputs]
        ctx.save_for_backward(x, dt, a, b, c, d, states)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        from edgesr.scan.fused_kernels import scan_backward

        x, dt, a, b, c, d, states = ctx.saved_tensors
        cut: _Tiling = ctx.cut
        split = cut.segments > 1
        starts = _starts(dy, dt, a, c, cut, reverse=True) if split else a
        dx, ddt = (torch.empty(x.shape, dtype=t.dtype, device=x.device) for t in (x, dt))
        db, dc = (a.new_empty(cut.blocks, cut.batch, cut.length, cut.N) for _ in range(2))
        da = a.new_empty(cut.batch, cut.segments, cut.channels, cut.N)
        dd = a.new_empty(cut.batch, cut.segments, cut.channels)
        scan_backward[cut.grid](
            x, dt, a, b, c, d, dy, states, starts, dx, ddt, db, dc, da, dd,
            *x.stride(), *dt.stride(), *b.stride()[:2], *c.stride()[:2], *dy.stride(),
            cut.length, cut.channels, cut.segment, K=CHUNK, SPLIT=split, **cut.constants,
        )  # fmt: skip
        grads = dx, ddt, da.sum((0, 1)), db.sum(0), dc.sum(0), dd.sum((0, 1))
        return tuple(g.to(dtype) for g, dtype in zip(grads, ctx.dtypes, strict=True))
