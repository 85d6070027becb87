"""The selective scan for CUDA: Triton kernels forward and backward, float32 state.

The specification is `edgesr.scan.reference`. The kernels are in `fused_kernels` and
`fused_backward`, their launch in `fused_launch`; `fused_mixer` holds more of the mixer.
"""

import importlib.util
from typing import Any

import torch
from torch import Tensor

from edgesr.scan import fused_launch
from edgesr.scan.path import ScanPath

BFLOAT16_PRODUCTS = (8, 0)  # the compute capability that brought them


def fused_available(x: Tensor) -> bool:
    """Return whether the fused kernels can run on x: a tensor on a CUDA GPU, and Triton there."""
    return (
        x.is_cuda
        and torch.cuda.get_device_capability(x.device) >= BFLOAT16_PRODUCTS
        and importlib.util.find_spec("triton") is not None
    )


def selective_scan_fused(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    path: ScanPath | None = None,
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
        path: the order of the steps; None: the tokens' own.

    Returns:
        (batch, L, E), in the dtype of x.
    """
    out: Tensor = _Scan.apply(path, x, dt, A, B, C, D)  # type: ignore[no-untyped-call]
    return out


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, path: ScanPath | None, *inputs: Any) -> Tensor:
        scan = fused_launch.Scan(*inputs)._replace(path=path)
        y, states = fused_launch.forward(scan, save=any(ctx.needs_input_grad))
        ctx.path = path
        ctx.save_for_backward(*inputs, states)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        *inputs, states = ctx.saved_tensors
        grads = fused_launch.backward(
            fused_launch.Scan(*inputs)._replace(path=ctx.path), states, dy
        )
        db, dc = grads.BC.chunk(2, dim=-1)
        of_inputs = grads.x, grads.dt, grads.A, db, dc, grads.D
        return None, *(g.to(i.dtype) for g, i in zip(of_inputs, inputs, strict=True))
