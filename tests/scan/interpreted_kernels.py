"""Runs the Triton kernels under Triton's interpreter and prints their errors as JSON.

Not a test by itself: test_fused.py starts it with TRITON_INTERPRET=1, which must be set before
Triton is imported.
"""

import json
import sys
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from edgesr.models import local_norm, token_norm
from edgesr.models.mamba import Mamba
from edgesr.scan import fused_launch, fused_mixer
from edgesr.scan.fused import selective_scan_fused
from edgesr.scan.path import TURNS, Direction, ScanPath
from edgesr.scan.reference import selective_scan_reference

# Small chunks and segments, so that small cases have several of each.
fused_launch.CHUNK = 2
fused_launch.SHORTEST_SEGMENT = 4
fused_mixer.ROWS = 4
token_norm.ROWS, token_norm.PROGRAMS = 4, 2
# A strip of four pixels of eight channels: shares that end inside a picture, and outside.
local_norm.FORWARD = local_norm.Share(warps=1, per_thread=1, depth=2)
local_norm.BACKWARD = local_norm.Share(warps=1, per_thread=1, depth=3)
ONE_SEGMENT, MANY = 0, 64

CASES: dict[str, dict[str, Any]] = {
    "one step": {"shape": (1, 1, 16, 4)},
    "whole tiles": {"shape": (2, 4, 32, 2)},
    "odd sizes": {"shape": (1, 5, 9, 3)},
    "several blocks of channels": {"shape": (1, 3, 33, 1)},
    "32 states": {"shape": (1, 2, 4, 32)},
    "segments": {"shape": (1, 12, 16, 2), "warps": MANY},
    "odd segments": {"shape": (1, 11, 9, 3), "warps": MANY},
    "bfloat16": {"shape": (1, 4, 16, 2), "dtype": torch.bfloat16},
    "float16": {"shape": (1, 4, 16, 2), "dtype": torch.float16},
    "gated": {"shape": (1, 4, 16, 2), "gated": True},
    "gated odd segments": {"shape": (1, 11, 9, 3), "gated": True, "warps": MANY},
}

COLUMNS, COLUMNS_BACK = TURNS[2:]
CASES |= {
    "backward": {"shape": (2, 12, 16, 2), "path": ScanPath(3, 4, TURNS[1]), "warps": MANY},
    "columns": {"shape": (1, 12, 16, 2), "path": ScanPath(4, 3, COLUMNS)},
    "columns of odd height, backward": {
        "shape": (2, 15, 9, 3), "path": ScanPath(3, 5, COLUMNS_BACK), "warps": MANY,
    },
    "gated, columns backward": {
        "shape": (1, 12, 16, 1), "path": ScanPath(6, 2, COLUMNS_BACK), "gated": True,
    },
}  # fmt: skip

MIXERS: dict[str, dict[str, Any]] = {
    "mixer": {"width": 8, "state": 2},
    "mixer of odd sizes": {"width": 5, "state": 3, "size": (1, 7), "batch": 2},
    "mixer of heads": {"width": 4, "state": 2, "heads": 4, "size": (5, 1)},
    "mixer, bfloat16": {"width": 8, "state": 2, "dtype": torch.bfloat16},
    "mixer backward": {"width": 5, "state": 2, "size": (3, 5), "direction": TURNS[1]},
    "mixer along columns": {"width": 8, "state": 1, "size": (4, 3), "direction": COLUMNS},
    "mixer along odd columns, backward": {
        "width": 5, "state": 1, "size": (5, 3), "direction": COLUMNS_BACK, "batch": 2,
    },
}  # fmt: skip

NORMS: dict[str, dict[str, Any]] = {
    "norm": {"shape": (2, 8, 8)},
    "norm of odd sizes": {"shape": (2, 9, 5)},
    "norm, bfloat16": {"shape": (1, 6, 8), "dtype": torch.bfloat16},
}

LOCALITIES: dict[str, dict[str, Any]] = {
    "locality": {"shape": (2, 4, 3, 8), "side": 3},
    "locality of odd sizes": {"shape": (1, 3, 5, 5), "side": 5},
    "locality of one row": {"shape": (1, 1, 9, 4), "side": 3},
    "locality of one column": {"shape": (2, 7, 1, 4), "side": 3},
    "locality of one tap": {"shape": (2, 3, 5, 4), "side": 1},
    "locality, bfloat16 behind the norm": {
        "shape": (3, 3, 5, 6),
        "side": 3,
        "dtype": torch.bfloat16,
    },
}


def relative_error(got: Tensor, want: Tensor) -> float:
    """Return ||got - want|| / ||want||, or ||got|| where want is zero."""
    return ((got.double() - want).norm() / (want.norm() or 1.0)).item()


def draw(shape: tuple[int, int, int, int], dtype: torch.dtype) -> list[Tensor]:
    """Return the inputs with the strides they have in the mixer, x as a transposed view."""
    batch, length, channels, states = shape
    x = torch.randn(batch, channels, length).to(dtype).transpose(1, 2)
    dt = torch.empty(batch, length, channels).uniform_(-5, -1).exp().to(dtype)
    b, c = torch.randn(batch, length, 1 + 2 * states).to(dtype)[..., 1:].chunk(2, dim=-1)
    return [x, dt, -torch.rand(channels, states) * 4, b, c, torch.randn(channels)]


def errors(
    shape: tuple[int, int, int, int],
    dtype: torch.dtype = torch.float32,
    warps: int = ONE_SEGMENT,
    gated: bool = False,
    path: ScanPath | None = None,
) -> dict[str, float]:
    """Return the relative errors of the output and of every gradient, in float64."""
    fused_launch.WARPS_PER_PROCESSOR = warps
    fused_launch.forget()
    inputs = draw(shape, dtype)
    exact = [t.double().requires_grad_() for t in inputs]
    x, dt, a, b, c, d = exact
    if not gated:
        leaves = [t.detach().requires_grad_() for t in inputs]
        y = selective_scan_fused(*leaves, path=path)
        dy = torch.randn(y.shape).to(dtype)
        y.backward(dy)
        want = selective_scan_reference(*exact, path=path)
        want.backward(dy.double())
        pairs = [(y, want)] + [(g.grad, w.grad) for g, w in zip(leaves, exact, strict=True)]
        names = ["y", "x", "dt", "A", "B", "C", "D"]
    else:
        inputs[1] = torch.randn(shape[:3]).to(dtype) - 2
        z = torch.randn(*shape[:2], 2 * shape[2]).to(dtype)[..., shape[2] :]
        bias = torch.randn(shape[2])
        dt = inputs[1].double().requires_grad_()
        exact += [z.double().requires_grad_(), bias.double().requires_grad_()]
        scan = fused_launch.Scan(*inputs, z, bias, path)
        y, states = fused_launch.forward(scan, save=True)
        dy, dz = torch.randn(y.shape).to(dtype), torch.empty_like(y)
        got = fused_launch.backward(scan, states, dy, dz)
        steps = F.softplus(dt + exact[7])
        want = selective_scan_reference(x, steps, a, b, c, d, path) * F.silu(exact[6])
        want.backward(dy.double())
        bc = torch.cat([b.grad, c.grad], dim=-1)
        pairs = [(y, want), (got.x, x.grad), (got.dt, dt.grad), (got.A, a.grad), (got.BC, bc)]
        pairs += [(got.D, d.grad), (dz, exact[6].grad), (got.bias, exact[7].grad)]
        names = ["y", "x", "dt", "A", "BC", "D", "z", "bias"]
    return {name: relative_error(g, w) for name, (g, w) in zip(names, pairs, strict=True)}


def mixer_errors(
    width: int,
    state: int,
    heads: int | None = None,
    batch: int = 1,
    size: tuple[int, int] = (2, 3),
    dtype: torch.dtype = torch.float32,
    direction: Direction = TURNS[0],
) -> dict[str, float]:
    """Return the relative errors of the fused mixer: output, gradients of xz and parameters."""
    fused_launch.WARPS_PER_PROCESSOR = ONE_SEGMENT
    fused_launch.forget()
    mixer = Mamba(width, state, None, heads, direction)
    path = ScanPath(*size, direction)
    torch.nn.init.normal_(mixer.D)
    outer = ("in_proj", "out_proj")
    inner = {n: p for n, p in mixer.named_parameters() if not n.startswith(outer)}
    xz = torch.randn(batch, path.length, 4 * width).to(dtype).requires_grad_()
    dy = torch.randn(batch, path.length, 2 * width).to(dtype)
    y = fused_mixer.fused_mixer(xz, mixer.inner_weights(), path)
    y.backward(dy)
    got = {"y": y, "xz": xz.grad} | {name: p.grad for name, p in inner.items()}
    got = {name: tensor.clone() for name, tensor in got.items()}
    mixer.zero_grad()
    mixer.double()
    exact = xz.detach().double().requires_grad_()
    want_y = mixer._mix(exact, path)
    want_y.backward(dy.double())
    want = {"y": want_y, "xz": exact.grad} | {name: p.grad for name, p in inner.items()}
    return {name: relative_error(got[name], want[name]) for name in got}


def norm_errors(
    shape: tuple[int, int, int], dtype: torch.dtype = torch.float32
) -> dict[str, float]:
    """Return the relative errors of the fused LayerNorm: output and gradients."""
    x = (2 * torch.randn(shape) + 1).to(dtype)
    inputs = [x, torch.randn(shape[-1]), torch.randn(shape[-1])]
    leaves = [t.detach().requires_grad_() for t in inputs]
    exact = [t.detach().double().requires_grad_() for t in inputs]
    y = token_norm.fused_norm(*leaves, 1e-5, dtype)
    dy = torch.randn(shape).to(dtype)
    y.backward(dy)
    want = F.layer_norm(exact[0], shape[-1:], exact[1], exact[2], 1e-5)
    want.backward(dy.double())
    found = {"y": relative_error(y, want)}
    for name, got, true in zip(("x", "weight", "bias"), leaves, exact, strict=True):
        found[name] = relative_error(got.grad, true.grad)
    return found


def locality_errors(
    shape: tuple[int, int, int, int], side: int, dtype: torch.dtype = torch.float32
) -> dict[str, float]:
    """Return the relative errors of the fused locality and norm: both outputs and gradients.

    dtype: of the norm's result.
    """
    batch, height, width, d = shape
    locality, norm = local_norm.Locality(d, side), token_norm.TokenNorm(d)
    for parameter in (*locality.parameters(), *norm.parameters()):
        torch.nn.init.normal_(parameter)
    parameters = {"kernel": locality.weight, "gain": norm.weight, "offset": norm.bias}
    t = torch.randn(batch, height * width, d).requires_grad_()
    directions = torch.randn(t.shape), torch.randn(t.shape).to(dtype)
    u, y = local_norm._LocalNorm.apply(t, *parameters.values(), norm.eps, dtype, (height, width))
    torch.autograd.backward((u, y), directions)
    got = {"u": u, "y": y, "t": t.grad} | {n: p.grad.clone() for n, p in parameters.items()}
    for module in (locality, norm):
        module.zero_grad()
        module.double()
    exact = t.detach().double().requires_grad_()
    want_u, want_y = local_norm.add_and_normalise(exact, locality, norm, height, width)
    torch.autograd.backward((want_u, want_y), [each.double() for each in directions])
    want = {"u": want_u, "y": want_y, "t": exact.grad}
    want |= {"kernel": locality.weight.grad}
    want |= {"gain": norm.weight.grad, "offset": norm.bias.grad}
    return {name: relative_error(got[name], want[name]) for name in got}


if __name__ == "__main__":
    torch.manual_seed(0)
    kinds = (errors, CASES), (mixer_errors, MIXERS), (norm_errors, NORMS)
    wanted = set(sys.argv[1:])  # names of cases; none: all
    print(
        json.dumps(
            {
                name: judge(**case)
                for judge, cases in (*kinds, (locality_errors, LOCALITIES))
                for name, case in cases.items()
                if not wanted or name in wanted
            }
        )
    )
