"""The selective scan in chunks, vectorised over them, with its own gradient; equal to `reference`.

A sequence of L steps is cut into K chunks of T steps. All chunks run side by side, so Python loops
over T steps instead of L:

    1. every chunk from a zero state, to get its last state,
    2. a carry over the K last states gives the true state before each chunk,
    3. every chunk again from that state, now with its outputs.

Every exponential is of a sum of dt A <= 0, and nothing is divided by a decay: long decays underflow
to zero, as they do in the reference, and never overflow.

Along a path that is not the tokens' own order, cutting into chunks takes each step's token from
where it lies: a sequence is moved once, as it is without a path.

Only the inputs and the K states before the chunks are kept for the gradient, which recomputes the
rest. Shapes in here are (T, M, ...) with M = batch K rows; E is innermost.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from edgesr.scan.path import FORWARD, ScanPath

MAX_STATES = 1 << 22
"""States of all steps held at once; larger batches are taken in slices."""


def selective_scan_chunked(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    path: ScanPath | None = None,
) -> Tensor:
    """Run the scan of `edgesr.scan.reference`, same arguments, differentiable once.

    Half-precision inputs are computed in float32.

    Returns:
        (batch, L, E) in the dtype of x
    """
    inputs = (x, dt, A, B, C, D)
    working = torch.promote_types(_promoted(inputs), torch.float32)
    with torch.autocast(device_type=x.device.type, enabled=False):
        y: Tensor = _ChunkedScan.apply(path, *(tensor.to(working) for tensor in inputs))  # type: ignore[no-untyped-call]
    return y.to(x.dtype)


def _promoted(tensors: tuple[Tensor, ...]) -> torch.dtype:
    dtype = tensors[0].dtype
    for tensor in tensors[1:]:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return dtype


@lru_cache(maxsize=64)
def _tokens(path: ScanPath) -> Tensor:
    """Return the token of every step of a path: (L,) int64."""
    return torch.tensor([path.token(step) for step in range(path.length)])


@dataclass(frozen=True)
class _Cut:
    """How a sequence of L steps is cut into chunks of T.

    Attributes:
        length: L.
        path: the order of the steps; None: the tokens' own.
    """

    length: int
    path: ScanPath | None

    @classmethod
    def of(cls, length: int, path: ScanPath | None) -> "_Cut":
        """Cut a sequence; a walk forward along rows is no other order than the tokens' own."""
        return cls(length, None if path is None or path.direction == FORWARD else path)

    @property
    def steps(self) -> int:
        """Return T: the square root balances the loops over T and over K."""
        return max(1, math.isqrt(self.length - 1) + 1)

    def chunks(self, sequence: Tensor) -> Tensor:
        """(batch, L, W) -> (T, batch K, W); the end is padded with zeros, which change no state."""
        length, width = sequence.shape[1:]
        missing = -length % self.steps
        if self.path is None:
            padded = F.pad(sequence, (0, 0, 0, missing))
            return padded.reshape(-1, self.steps, width).transpose(0, 1).contiguous()
        tokens = (
            F.pad(_tokens(self.path), (0, missing)).view(-1, self.steps).t().contiguous()
        )  # (T, K)
        row = torch.arange(sequence.shape[0], device=sequence.device)
        chunks = sequence[row[:, None], tokens.to(row.device)[:, None]]  # (T, batch, K, W)
        if missing:
            chunks[self.steps - missing :, :, -1] = 0
        return chunks.view(self.steps, -1, width)

    def sequence(self, chunks: Tensor, batch: int) -> Tensor:
        """(T, batch K, W) -> (batch, L, W)."""
        width = chunks.shape[2]
        walked = chunks.transpose(0, 1).reshape(batch, -1, width)[:, : self.length]
        if self.path is None:
            return walked
        out = torch.empty_like(walked)
        return out.index_copy_(1, _tokens(self.path).to(out.device), walked)


def _decay(dt: Tensor, A_t: Tensor) -> Tensor:
    """(..., E), (N, E) -> exp(dt A) (..., N, E)."""
    return torch.exp(dt.unsqueeze(-2) * A_t)


def _carry(decay: Tensor, last: Tensor, batch: int, *, reverse: bool = False) -> Tensor:
    """Return the state that enters each chunk: (M, N, E), (M, N, E) -> (M, N, E).

    Args:
        decay: product of all decays in a chunk.
        last: what a chunk adds, from a zero state.
        batch: the M rows are `batch` sequences of K chunks.
        reverse: carry from the last chunk to the first.
    """
    chunks = decay.shape[0] // batch
    decay = decay.view(batch, chunks, *decay.shape[1:])
    last = last.view_as(decay)
    entering = torch.empty_like(decay)
    state = torch.zeros_like(decay[:, 0])
    for k in reversed(range(chunks)) if reverse else range(chunks):
        entering[:, k] = state
        state = torch.addcmul(last[:, k], decay[:, k], state)
    return entering.flatten(0, 1)


def _slices(x: Tensor, A: Tensor) -> Iterator[slice]:
    """Cut a batch so that the states of all steps of a slice number at most MAX_STATES."""
    batch, length, _ = x.shape
    rows = max(1, MAX_STATES // (length * A.numel()))
    return (slice(i, i + rows) for i in range(0, batch, rows))


class _ChunkedScan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        path: ScanPath | None,
        x: Tensor,
        dt: Tensor,
        A: Tensor,
        B: Tensor,
        C: Tensor,
        D: Tensor,
    ) -> Tensor:
        ctx.cut = cut = _Cut.of(x.shape[1], path)
        parts = [_run(cut, x[i], dt[i], B[i], C[i], A=A) for i in _slices(x, A)]
        y, entering = (torch.cat(part) for part in zip(*parts, strict=True))
        ctx.save_for_backward(x, dt, A, B, C, D, entering)
        return torch.addcmul(y, x, D)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        cut = ctx.cut
        x, dt, A, B, C, D, entering = ctx.saved_tensors
        parts = [
            _gradient(cut, x[i], dt[i], B[i], C[i], dy[i], entering[i], A=A) for i in _slices(x, A)
        ]
        *sequences, d_a = zip(*parts, strict=True)
        d_x, d_dt, d_b, d_c = (torch.cat(part) for part in sequences)
        d_x.addcmul_(dy, D)
        return None, d_x, d_dt, torch.stack(d_a).sum(0), d_b, d_c, (dy * x).sum((0, 1))


def _run(
    cut: _Cut, x: Tensor, dt: Tensor, B: Tensor, C: Tensor, *, A: Tensor
) -> tuple[Tensor, Tensor]:
    """Return y without D's part (batch, L, E) and the states before the chunks (batch, K, N, E)."""
    batch, steps = x.shape[0], cut.steps
    A_t = A.t().contiguous()  # (N, E)
    xs, dts, bs, cs = (cut.chunks(s) for s in (x, dt, B, C))
    dx = dts * xs  # (T, M, E)
    decays = _decay(dts, A_t)  # (T, M, N, E)
    state = torch.zeros_like(decays[0])
    for t in range(steps):
        state.mul_(decays[t]).addcmul_(bs[t].unsqueeze(2), dx[t].unsqueeze(1))
    entering = _carry(_decay(dts.sum(0), A_t), state, batch)
    state = entering.clone()
    y = torch.empty_like(xs)
    for t in range(steps):
        state.mul_(decays[t]).addcmul_(bs[t].unsqueeze(2), dx[t].unsqueeze(1))
        torch.bmm(cs[t].unsqueeze(1), state, out=y[t].unsqueeze(1))
    return cut.sequence(y, batch), entering.view(batch, -1, *A_t.shape)


def _gradient(
    cut: _Cut,
    x: Tensor,
    dt: Tensor,
    B: Tensor,
    C: Tensor,
    dy: Tensor,
    entering: Tensor,
    *,
    A: Tensor,
) -> tuple[Tensor, ...]:
    """Return the gradients of x (without D's part), dt, B, C and A for a slice of the batch.

    With g_t the gradient of h_t and a_t = exp(dt_t A):

        g_t = C_t dy_t + a_{t+1} g_{t+1},   d(dt_t A) = g_t a_t h_{t-1},   d(B_t dt_t x_t) = g_t
    """
    batch, steps = x.shape[0], cut.steps
    A_t = A.t().contiguous()
    xs, dts, bs, cs, dys = (cut.chunks(s) for s in (x, dt, B, C, dy))
    dx = dts * xs
    decays = _decay(dts, A_t)  # (T, M, N, E)
    states = torch.empty_like(decays)  # h_t
    before = entering.flatten(0, 1)
    gradient = torch.zeros_like(before)
    for t in range(steps):
        torch.mul(decays[t], states[t - 1] if t else before, out=states[t])
        states[t].addcmul_(bs[t].unsqueeze(2), dx[t].unsqueeze(1))
    for t in reversed(range(steps)):  # from a zero gradient behind each chunk
        gradient.addcmul_(cs[t].unsqueeze(2), dys[t].unsqueeze(1)).mul_(decays[t])
    gradient = _carry(_decay(dts.sum(0), A_t), gradient, batch, reverse=True)
    d_dx, d_dt, d_b, d_c = (torch.empty_like(s) for s in (xs, dts, bs, cs))
    d_a = torch.zeros_like(gradient)
    for t in reversed(range(steps)):
        # A row times a transposed matrix: several times faster here than a matrix times a column.
        torch.bmm(dys[t].unsqueeze(1), states[t].mT, out=d_c[t].unsqueeze(1))
        gradient.addcmul_(cs[t].unsqueeze(2), dys[t].unsqueeze(1))  # g_t
        torch.bmm(bs[t].unsqueeze(1), gradient, out=d_dx[t].unsqueeze(1))
        torch.bmm(dx[t].unsqueeze(1), gradient.mT, out=d_b[t].unsqueeze(1))
        gradient.mul_(decays[t])
        d_exponent = gradient * (states[t - 1] if t else before)
        d_a.addcmul_(d_exponent, dts[t].unsqueeze(1))
        torch.sum(d_exponent.mul_(A_t), 1, out=d_dt[t])
    d_dt.addcmul_(d_dx, xs)
    sequences = (cut.sequence(s, batch) for s in (d_dx * dts, d_dt, d_b, d_c))
    return *sequences, d_a.sum(0).t()
