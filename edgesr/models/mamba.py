"""The Mamba (S6) mixer: projections and a causal convolution around the selective scan.

Glossary, after Gu and Dao 2023 (https://arxiv.org/abs/2312.00752):
    L  length of the sequence            d  width of a token
    E  inner width, 2d                   N  size of the state of one channel
    R  rank of dt, ceil(d / 16)          H  heads of the SSD variant, None for S6

S6 has a decay for every channel and state. SSD (Mamba-2, Dao and Gu 2024,
https://arxiv.org/abs/2405.21060) has one per head of E / H channels, which turns the scan into
matrix products; here it is S6 with dt and A shared within a head.

Parameter names and shapes are those of the reference implementation
(state-spaces/mamba, `mamba_simple.py`), so published checkpoints load unchanged.
"""

import math
from dataclasses import fields
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.scan.fused import fused_available
from edgesr.scan.fused_mixer import MixerWeights, fused_mixer
from edgesr.scan.path import FORWARD, Direction, ScanPath
from edgesr.scan.selective import selective_scan

ONNX_NODE = "edgesr::MambaMixer"

CONV_WIDTH = 4
DT_MIN, DT_MAX = 1e-3, 1e-1  # range of softplus(dt_bias) at the start, as in the Mamba paper


class LowRankLinear(nn.Module):
    """A bias-free linear map through `rank` dimensions: W (out x in) = up (out x r) down (r x in).

    Source: MambaLiteSR section IV-E.
    """

    def __init__(self, in_features: int, out_features: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(in_features, rank, bias=False)
        self.up = nn.Linear(rank, out_features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        out: Tensor = self.up(self.down(x))
        return out


def projection(in_features: int, out_features: int, rank: int | None) -> nn.Module:
    """Return a bias-free projection, factored when a rank is given."""
    if rank is None:
        return nn.Linear(in_features, out_features, bias=False)
    return LowRankLinear(in_features, out_features, rank)


class Mamba(nn.Module):
    """One selective state-space mixer, tokens in, tokens out: (batch, L, d) -> (batch, L, d).

    Args:
        width: d.
        state: N.
        rank: of the outer projections; None for full matrices.
        heads: H of the SSD variant; None for S6.
        direction: how convolution and scan walk over the picture that the tokens are.

    Attributes:
        fuse: take one kernel for all between the outer projections where there is a GPU for it;
            False: the scan alone is one kernel there. Results differ by rounding.
    """

    fuse: bool = True

    def __init__(
        self,
        width: int,
        state: int,
        rank: int | None,
        heads: int | None = None,
        direction: Direction = FORWARD,
    ) -> None:
        super().__init__()
        self.direction = direction
        inner = 2 * width
        self.inner = inner
        self.heads = heads
        self.dt_rank = math.ceil(width / 16)
        self.state = state
        self.in_proj = projection(width, 2 * inner, rank)
        self.conv1d = nn.Conv1d(inner, inner, CONV_WIDTH, groups=inner, padding=CONV_WIDTH - 1)
        self.x_proj = nn.Linear(inner, self.dt_rank + 2 * state, bias=False)
        self.dt_proj = nn.Linear(self.dt_rank, heads or inner)
        decays = torch.arange(1.0, state + 1).repeat(inner, 1)
        if heads is not None:
            decays = torch.linspace(1.0, 16.0, heads).unsqueeze(1)
        self.A_log = nn.Parameter(decays.log())
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = projection(inner, width, rank)
        self._initialise_dt()

    def _initialise_dt(self) -> None:
        """Start with step sizes spread log-uniformly over [DT_MIN, DT_MAX]."""
        nn.init.uniform_(self.dt_proj.weight, -(self.dt_rank**-0.5), self.dt_rank**-0.5)
        span = math.log(DT_MAX) - math.log(DT_MIN)
        dt = torch.exp(torch.rand_like(self.dt_proj.bias) * span + math.log(DT_MIN))
        with torch.no_grad():
            self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))  # inverse of softplus

    def forward(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """(batch, height*width, d) in raster order -> the same."""
        path = ScanPath(height, width, self.direction)
        xz = self.in_proj(tokens)  # (batch, L, 2E)
        if torch.onnx.is_in_onnx_export():
            y = self._onnx_node(xz, path)
        elif self.fuse and fused_available(xz):
            y = fused_mixer(xz, self.inner_weights(), path)
        else:
            y = self._mix(xz, path)
        out: Tensor = self.out_proj(y)
        return out

    def _onnx_node(self, xz: Tensor, path: ScanPath) -> Tensor:
        """Return `_mix` as one node, which edgesr.export defines in standard operators."""
        weights = self.inner_weights()
        inputs = [getattr(weights, field.name) for field in fields(weights)]
        attributes: dict[str, Any] = {
            "height": path.height,
            "width": path.width,
            "columns": int(path.direction.columns),
            "reverse": int(path.direction.reverse),
        }
        shape = (*xz.shape[:-1], self.inner)
        y: Tensor = torch.onnx.ops.symbolic(
            ONNX_NODE, (xz, *inputs), attributes, dtype=xz.dtype, shape=shape, version=1
        )
        return y

    def _mix(self, xz: Tensor, path: ScanPath) -> Tensor:
        """Everything between the outer projections: (batch, L, 2E) -> (batch, L, E)."""
        x, z = xz.chunk(2, dim=-1)  # (batch, L, E) each
        x = F.silu(self._convolve(x, path))
        dt, b, c = self.x_proj(x).split([self.dt_rank, self.state, self.state], dim=-1)
        dt = F.softplus(self.dt_proj(dt))  # (batch, L, E), or (batch, L, H)
        a = -torch.exp(self.A_log)  # (E, N), or (H, 1)
        if self.heads is not None:
            share = self.inner // self.heads
            dt = dt.repeat_interleave(share, dim=-1)
            a = a.repeat_interleave(share, dim=0).expand(-1, self.state)
        return selective_scan(x, dt, a, b, c, self.D, path) * F.silu(z)

    def _convolve(self, x: Tensor, path: ScanPath) -> Tensor:
        """Convolve causally along a path: (batch, L, E) -> the same.

        Backward, the taps are turned around and look at the tokens behind; along columns, the
        picture is turned on its side.
        """
        conv, reverse, columns = self.conv1d, path.direction.reverse, path.direction.columns
        lines = x.reshape(-1, path.height, path.width, self.inner)
        lines = lines.transpose(1, 2) if columns else lines
        taps = conv.weight.flip(-1) if reverse else conv.weight
        before = conv.kernel_size[0] - 1
        walked = F.conv1d(
            lines.flatten(1, 2).transpose(1, 2), taps, conv.bias, 1, before, 1, self.inner
        )
        walked = walked[..., before:] if reverse else walked[..., : path.length]
        lines = walked.transpose(1, 2).reshape(lines.shape)
        return (lines.transpose(1, 2) if columns else lines).flatten(1, 2)

    def inner_weights(self) -> MixerWeights:
        """Return what the fused form of `_mix` takes; a head's dt and A repeated over its share."""
        dt_proj: Tensor = self.dt_proj.weight
        dt_bias: Tensor = self.dt_proj.bias
        a = -torch.exp(self.A_log)
        if self.heads is not None:
            share = self.inner // self.heads
            dt_proj = dt_proj.repeat_interleave(share, dim=0)
            dt_bias = dt_bias.repeat_interleave(share, dim=0)
            a = a.repeat_interleave(share, dim=0).expand(-1, self.state)
        return MixerWeights(
            conv=self.conv1d.weight.squeeze(1),
            conv_bias=cast(Tensor, self.conv1d.bias),
            x_proj=self.x_proj.weight,
            dt_proj=dt_proj,
            dt_bias=dt_bias,
            A=a,
            D=self.D,
        )

    def multiply_adds(self, tokens: Tensor) -> int:
        """Return those of convolution and scan (dt A, decay h, dt x B, C h) for (batch, L, d)."""
        return (CONV_WIDTH + 4 * self.state) * tokens.shape[0] * tokens.shape[1] * self.inner
