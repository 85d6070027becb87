"""Cutting a scan into programs, and launching its kernels."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from edgesr.scan.fused_ready import Launch, layout
from edgesr.scan.path import ScanPath

CHUNK = 8  # steps unrolled, and between saved states
CHANNELS = 32  # of a program
SMALLEST_CHANNELS = 16  # the matrix units sum over no fewer
STATES_PER_WARP = 128  # four in a thread
WARPS_PER_PROCESSOR = 8  # two for each scheduler; with fewer in all, sequences are split
SHORTEST_SEGMENT = 64
SMALLEST_PRODUCT = 64  # rows of a product on the matrix units
MOST_READY = 1024  # launches kept; pictures of ever new sizes shall not fill the memory


class Scan(NamedTuple):
    """One scan: its inputs as in `edgesr.scan.reference`, and what surrounds it in a mixer.

    Attributes:
        z: (batch, L, E) gate, of the output y silu(z); None for the scan alone.
        bias: (E,) added to dt before a softplus; None for the scan alone.
        path: the order of the steps; None: the tokens' own.
    """

    x: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor
    z: Tensor | None = None
    bias: Tensor | None = None
    path: ScanPath | None = None


def walk(path: ScanPath | None, run: int) -> dict[str, int | bool]:
    """Return what `tokens_of` is told: of a path, whose steps a kernel takes `run` at a time."""
    if path is None or not path.direction.columns:
        reverse = path is not None and path.direction.reverse
        return {"HEIGHT": 0, "WIDTH": 0, "BACKWARD": reverse, "EVEN": True}
    return {
        "HEIGHT": path.height, "WIDTH": path.width, "BACKWARD": path.direction.reverse,
        "EVEN": path.height % run == 0,
    }  # fmt: skip


class _Operands(NamedTuple):
    """A scan as the kernels take it."""

    x: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor
    z: Tensor
    bias: Tensor
    mixer: bool
    path: ScanPath | None

    @classmethod
    def of(cls, scan: Scan) -> "_Operands":
        """Return contiguous float32 parameters, and states and gate of stride 1."""
        b, c = _last_stride_1(scan.B), _last_stride_1(scan.C)
        a, d = _parameter(scan.A), _parameter(scan.D)
        if scan.z is None or scan.bias is None:
            return cls(scan.x, scan.dt, a, b, c, d, scan.x, d, False, scan.path)  # two stand-ins
        z, bias = _last_stride_1(scan.z), _parameter(scan.bias)
        return cls(scan.x, scan.dt, a, b, c, d, z, bias, True, scan.path)

    def layout(self) -> Hashable:
        """Return all that launches depend on but the addresses."""
        given = self[:8] if self.mixer else self[:6]
        return self.path, self.x.shape, self.A.shape, *[layout(tensor) for tensor in given]


def _parameter(tensor: Tensor) -> Tensor:
    if tensor.dtype == torch.float32 and tensor.is_contiguous():
        return tensor  # asked first, since a conversion to the same takes longer
    return tensor.float().contiguous()


def _last_stride_1(tensor: Tensor) -> Tensor:
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


@dataclass(frozen=True)
class Cut:
    """How a scan is cut into programs.

    Attributes:
        channels: of a program.
        blocks: programs side by side for the channels of one sequence.
        warps: of a program.
        chunks: of a sequence, the last one perhaps not full.
        segment: steps of a segment, whole chunks.
        segments: of a sequence.
    """

    channels: int
    blocks: int
    warps: int
    chunks: int
    segment: int
    segments: int

    @classmethod
    def of(cls, x: Tensor, states: int) -> "Cut":
        """Cut a sequence into segments only where sequences and channels do not fill the GPU."""
        batch, length, width = x.shape
        channels = max(SMALLEST_CHANNELS, min(CHANNELS, 1 << (width - 1).bit_length()))
        blocks = -(-width // channels)
        warps = max(1, min(8, channels * _padded(states) // STATES_PER_WARP))
        wanted = WARPS_PER_PROCESSOR * _processors(x.device) // (batch * blocks * warps)
        segments = max(1, min(wanted, length // SHORTEST_SEGMENT))
        segment = -(-length // segments // CHUNK) * CHUNK
        return cls(channels, blocks, warps, -(-length // CHUNK), segment, -(-length // segment))


def _padded(states: int) -> int:
    return 1 << (states - 1).bit_length()


def _processors(device: torch.device) -> int:
    """Return the GPU's multiprocessors; 1 where Triton's interpreter runs the kernels."""
    if device.type != "cuda":
        return 1
    count: int = torch.cuda.get_device_properties(device).multi_processor_count
    return count


def _values(op: _Operands, cut: Cut, **tensors: Tensor) -> dict[str, Any]:
    """Return what all three kernels are told, with the strides of (batch, L, ...) tensors."""
    states = op.A.shape[1]
    length, width = op.x.shape[1:]
    whole = length % CHUNK == 0 and width % cut.channels == 0 and states == _padded(states)
    values: dict[str, Any] = {
        "length": length, "channels": width, "segment": cut.segment,
        "N": states, "NP": _padded(states), "BLOCK_E": cut.channels, "K": CHUNK,
        "MASK": not whole, "MIXER": op.mixer, "dt_col": op.dt.stride(2), **walk(op.path, CHUNK),
        "num_warps": cut.warps, "num_stages": 1, "enable_fp_fusion": True,
    }  # fmt: skip
    for name, tensor in {"dt": op.dt, "z": op.z, **tensors}.items():
        values[f"{name}_batch"], values[f"{name}_row"] = tensor.stride()[:2]
    return values


@dataclass(frozen=True)
class _Plan:
    """A pass made ready: `ends`, where a sequence has several segments, runs before `scan`."""

    cut: Cut
    ends: Launch | None
    scan: Launch

    def carried(self, op: _Operands, u: Tensor, w: Tensor) -> Tensor:
        """Return what `segment_ends` writes; a stand-in where there is one segment."""
        if self.ends is None:
            return op.A
        width, n = op.A.shape
        carried = op.A.new_empty(op.x.shape[0], self.cut.segments, width * (n + 1))
        self.ends(u, op.dt, op.bias, op.A, w, op.z, carried)
        return carried


_ready: dict[Hashable, _Plan] = {}


def forget() -> None:
    """Drop what is ready, so that a change of the constants above takes effect."""
    _ready.clear()


def _keep(key: Hashable, plan: _Plan) -> _Plan:
    if len(_ready) >= MOST_READY:
        forget()
    _ready[key] = plan
    return plan


def _ends(op: _Operands, cut: Cut, u: Tensor, w: Tensor, reverse: bool) -> Launch | None:
    from edgesr.scan.fused_kernels import segment_ends

    if cut.segments == 1:
        return None
    values = _values(op, cut, u=u, w=w) | {"u_col": u.stride(2), "REVERSE": reverse}
    return Launch(segment_ends, (cut.blocks, op.x.shape[0], cut.segments), values)


def _plan_forward(op: _Operands, save: bool) -> _Plan:
    from edgesr.scan.fused_kernels import scan_forward

    cut = Cut.of(op.x, op.A.shape[1])
    values = _values(op, cut, x=op.x, b=op.B, c=op.C) | {
        "x_col": op.x.stride(2), "y_row": op.x.shape[2],
        "SAVE": save, "SPLIT": cut.segments > 1,
    }  # fmt: skip
    scan = Launch(scan_forward, (cut.blocks, op.x.shape[0], cut.segments), values)
    return _Plan(cut, _ends(op, cut, op.x, op.B, reverse=False), scan)


def forward(scan: Scan, save: bool) -> tuple[Tensor, Tensor | None]:
    """Return y (batch, L, E) in the dtype of x, and with `save` the states `backward` needs."""
    op = _Operands.of(scan)
    key = save, op.layout()
    plan = _ready.get(key) or _keep(key, _plan_forward(op, save))
    # Where a scan is short, its launch is what takes the time: the first kernel goes out first.
    carried = plan.carried(op, op.x, op.B)
    y = op.x.new_empty(op.x.shape)
    states = op.A.new_empty(op.x.shape[0], plan.cut.chunks, *op.A.shape) if save else None
    written = op.A if states is None else states  # a stand-in, not written
    plan.scan(op.x, op.dt, op.bias, op.A, op.B, op.C, op.D, op.z, y, written, carried)
    return y, states


@dataclass(frozen=True)
class Gradients:
    """Gradients of a scan's inputs; those of parameters in float32.

    Attributes:
        x, dt: (batch, L, E), in the dtypes of their inputs; dt is that before bias and softplus.
        BC: (batch, L, 2N), B before C.
        A: (E, N).
        D, bias: (E,); without a bias none, (0,).
    """

    x: Tensor
    dt: Tensor
    BC: Tensor
    A: Tensor
    D: Tensor
    bias: Tensor


def _plan_backward(op: _Operands, dy: Tensor, dz: Tensor) -> _Plan:
    from edgesr.scan.fused_backward import scan_backward

    batch, length, width = op.x.shape
    n = op.A.shape[1]
    cut = Cut.of(op.x, n)
    terms = 1 if _narrow(op).itemsize == 2 else 3
    if not op.x.is_cuda or _padded(n) * CHUNK < SMALLEST_PRODUCT:
        terms = 0  # the interpreter has no bfloat16 products
    values = _values(op, cut, x=op.x, b=op.B, c=op.C, dy=dy, dz=dz) | {
        "x_col": op.x.stride(2), "dy_col": dy.stride(2), "dx_row": width,
        "db_block": batch * length * 2 * n, "db_batch": length * 2 * n, "db_row": 2 * n,
        "SPLIT": cut.segments > 1, "TERMS": terms,
    }  # fmt: skip
    scan = Launch(scan_backward, (cut.blocks, batch, cut.segments), values)
    return _Plan(cut, _ends(op, cut, dy, op.C, reverse=True), scan)


def _narrow(op: _Operands) -> torch.dtype:
    return torch.promote_types(op.B.dtype, op.C.dtype)


def backward(scan: Scan, states: Tensor, dy: Tensor, dz: Tensor | None = None) -> Gradients:
    """Return the gradients; that of z is written to dz, (batch, L, E) with channels of stride 1."""
    op = _Operands.of(scan)
    batch, length, width = op.x.shape
    n = op.A.shape[1]
    dx = op.x.new_empty(op.x.shape)
    dz = dx if dz is None else dz  # dx stands in, not written
    key = op.layout(), layout(dy), layout(dz)
    plan = _ready.get(key) or _keep(key, _plan_backward(op, dy, dz))
    cut = plan.cut
    carried = plan.carried(op, dy, op.C)
    ddt = op.dt.new_empty(op.dt.shape)
    narrow = _narrow(op) if cut.blocks == 1 else torch.float32
    partial = op.A.new_empty(cut.blocks, batch, length, 2 * n, dtype=narrow)
    db, dc = partial.chunk(2, dim=-1)
    sizes = width * n, width, width * op.mixer
    parts = op.A.new_empty(batch * cut.segments, sum(sizes))
    plan.scan(
        op.x, op.dt, op.bias, op.A, op.B, op.C, op.D, op.z, dy,
        states, carried, dx, ddt, db, dc, dz, parts,
    )  # fmt: skip
    dbc = partial[0] if cut.blocks == 1 else partial.sum(0)
    da, dd, dbias = parts.sum(0).split_with_sizes(sizes)
    return Gradients(dx, ddt, dbc, da.view(width, n), dd, dbias)
