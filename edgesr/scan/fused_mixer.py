"""All of a Mamba mixer between its outer projections, for CUDA, as one differentiable operation.

    x, z = xz                        xc = silu(causal depthwise conv(x))
    dt, B, C = x_proj(xc)            out = scan(xc, softplus(dt_proj(dt)), A, B, C, D) silu(z)

The convolution with SiLU is one kernel; softplus, gate and D are part of the scan's kernels; the
two small projections are matrix products. Kept for the gradient are xz, the projection and the
scan's states: the backward pass computes xc and the product of dt_proj again, and writes the
gradient of xz into one tensor.

The specification is `edgesr.models.mamba.Mamba.forward`.
"""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from edgesr.scan import fused_launch
from edgesr.scan.path import ScanPath

ROWS = 64  # steps of a program of the convolution


@dataclass(frozen=True)
class MixerWeights:
    """Parameters of a mixer between its outer projections; W is the width of the convolution.

    Attributes:
        conv: (E, W) taps, the last for the present step; conv_bias: (E,).
        x_proj: (R + 2N, E), rows of dt before those of B and C.
        dt_proj: (E, R); dt_bias: (E,).
        A: (E, N), negative; D: (E,).
    """

    conv: Tensor
    conv_bias: Tensor
    x_proj: Tensor
    dt_proj: Tensor
    dt_bias: Tensor
    A: Tensor
    D: Tensor


def fused_mixer(xz: Tensor, weights: MixerWeights, path: ScanPath | None = None) -> Tensor:
    """Run the mixer between its outer projections, in the dtype of xz; differentiable.

    Args:
        xz: (batch, L, 2E), what in_proj gives.
        weights: in any floating-point dtype.
        path: the order in which convolution and scan walk; None: the tokens' own.

    Returns:
        (batch, L, E), what out_proj takes.
    """
    tensors = [getattr(weights, field.name) for field in fields(weights)]
    out: Tensor = _Mixer.apply(xz.contiguous(), path, *tensors)  # type: ignore[no-untyped-call]
    return out


def _sizes(weights: MixerWeights, path: ScanPath | None) -> dict[str, int]:
    """Return what the convolution's kernels are compiled for."""
    channels, taps = weights.conv.shape
    block = 1 << (channels - 1).bit_length()
    return {
        "W": taps, "ROWS": ROWS, "BLOCK_E": block, "num_warps": 4, "enable_fp_fusion": True,
        **fused_launch.walk(path, ROWS),
    }  # fmt: skip


def _conv_silu(x: Tensor, weights: MixerWeights, path: ScanPath | None) -> Tensor:
    """Return silu(conv(x)), (batch, L, E)."""
    from edgesr.scan.fused_conv import conv_silu_forward

    batch, length, channels = x.shape
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    conv_silu_forward[-(-length // ROWS), batch](
        x, weights.conv, weights.conv_bias, out, x.stride(0), length, channels,
        x_row=x.stride(1), **_sizes(weights, path),
    )  # fmt: skip
    return out


def _conv_silu_gradients(
    x: Tensor, weights: MixerWeights, path: ScanPath | None, gradient: Tensor, dx: Tensor
) -> tuple[Tensor, Tensor]:
    """Write the gradient of x into dx; return those of the taps (E, W) and of the bias (E,).

    The gradient of the output, (batch, L, E), contiguous, is overwritten.
    """
    from edgesr.scan.fused_conv import conv_input_gradient, conv_silu_gradients

    batch, length, channels = x.shape
    programs = -(-length // ROWS)
    taps = weights.conv.shape[1]
    dweight = x.new_empty(batch * programs, taps, channels, dtype=torch.float32)
    dbias = x.new_empty(batch * programs, channels, dtype=torch.float32)
    conv_silu_gradients[programs, batch](
        x, weights.conv, weights.conv_bias, gradient, dweight, dbias,
        x.stride(0), length, channels, x_row=x.stride(1), **_sizes(weights, path),
    )  # fmt: skip
    conv_input_gradient[programs, batch](
        gradient, weights.conv, dx, dx.stride(0), length, channels,
        dx_row=dx.stride(1), **_sizes(weights, path),
    )  # fmt: skip
    return dweight.sum(0).T, dbias.sum(0)


def _scan(
    xc: Tensor, z: Tensor, projected: Tensor, weights: MixerWeights, path: ScanPath | None
) -> fused_launch.Scan:
    """Return the scan of the mixer; projected is (batch, L, R + 2N)."""
    states = weights.A.shape[1]
    rank = weights.dt_proj.shape[1]
    low, b, c = projected.split_with_sizes([rank, states, states], dim=-1)
    dt = low @ weights.dt_proj.to(low.dtype).T
    return fused_launch.Scan(xc, dt, weights.A, b, c, weights.D, z, weights.dt_bias, path)


class _Mixer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, xz: Tensor, path: ScanPath | None, *tensors: Tensor) -> Tensor:
        weights = MixerWeights(*(tensor.contiguous() for tensor in tensors))
        x, z = xz.chunk(2, dim=-1)
        xc = _conv_silu(x, weights, path)
        with torch.autocast(xz.device.type, enabled=False):  # xz has the dtype to compute in
            projected = xc @ weights.x_proj.to(xc.dtype).T
            scan = _scan(xc, z, projected, weights, path)
        out, states = fused_launch.forward(scan, save=any(ctx.needs_input_grad))
        ctx.path = path
        ctx.save_for_backward(xz, projected, states, *tensors)
        return out

    @staticmethod
    def backward(ctx: Any, dout: Tensor) -> Any:
        xz, projected, states, *tensors = ctx.saved_tensors
        path = ctx.path
        weights = MixerWeights(*(tensor.contiguous() for tensor in tensors))
        rank = weights.dt_proj.shape[1]
        x, z = xz.chunk(2, dim=-1)
        dxz = torch.empty_like(xz, memory_format=torch.contiguous_format)
        dx, dz = dxz.chunk(2, dim=-1)
        xc = _conv_silu(x, weights, path)
        scan = _scan(xc, z, projected, weights, path)
        got = fused_launch.backward(scan, states, dout, dz)

        ddt = got.dt.flatten(0, 1)  # (tokens, E)
        low = projected[..., :rank].flatten(0, 1)
        dlow = ddt @ weights.dt_proj.to(ddt.dtype)
        dprojected = torch.cat([dlow, got.BC.flatten(0, 1).to(dlow.dtype)], dim=-1)
        dxc = got.x.flatten(0, 1).addmm_(dprojected, weights.x_proj.to(got.x.dtype))
        dconv, dconv_bias = _conv_silu_gradients(x, weights, path, dxc.view_as(x), dx)

        dweights = MixerWeights(
            conv=dconv,
            conv_bias=dconv_bias,
            x_proj=dprojected.T @ xc.flatten(0, 1),
            dt_proj=ddt.T @ low,
            dt_bias=got.bias,
            A=got.A,
            D=got.D,
        )
        grads = (getattr(dweights, field.name) for field in fields(dweights))
        return dxz, None, *(g.to(t.dtype) for g, t in zip(grads, tensors, strict=True))
