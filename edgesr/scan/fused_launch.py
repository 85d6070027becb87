"""Cutting a scan into programs, and launching its kernels."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

CHUNK = 8  # steps unrolled, and between saved states
CHANNELS = 32  # of a program
SMALLEST_CHANNELS = 16  # the matrix units sum over no fewer
STATES_PER_WARP = 128  # four in a thread
WARPS_PER_PROCESSOR = 8  # two for each scheduler; with fewer in all, sequences are split
SHORTEST_SEGMENT = 64
SMALLEST_PRODUCT = 64  # rows of a product on the matrix units


@dataclass(frozen=True)
class Scan:
    """One scan: its inputs as in `edgesr.scan.reference`, and what surrounds it in a mixer.

    Attributes:
        z: (batch, L, E) gate, of the output y silu(z); None for the scan alone.
        bias: (E,) added to dt before a softplus; None for the scan alone.
    """

    x: Tensor
    dt: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor
    z: Tensor | None = None
    bias: Tensor | None = None


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

    @classmethod
    def of(cls, scan: Scan) -> "_Operands":
        """Return contiguous float32 parameters, and states and gate of stride 1."""
        b, c = _last_stride_1(scan.B), _last_stride_1(scan.C)
        a, d = scan.A.float().contiguous(), scan.D.float().contiguous()
        if scan.z is None or scan.bias is None:
            return cls(scan.x, scan.dt, a, b, c, d, scan.x, d, False)  # x and d are not read
        bias = scan.bias.float().contiguous()
        return cls(scan.x, scan.dt, a, b, c, d, _last_stride_1(scan.z), bias, True)


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
    def of(cls, scan: Scan) -> "Cut":
        """Cut a sequence into segments only where sequences and channels do not fill the GPU."""
        batch, length, width = scan.x.shape
        channels = max(SMALLEST_CHANNELS, min(CHANNELS, 1 << (width - 1).bit_length()))
        blocks = -(-width // channels)
        warps = max(1, min(8, channels * _padded(scan.A.shape[1]) // STATES_PER_WARP))
        wanted = WARPS_PER_PROCESSOR * _processors(scan.x.device) // (batch * blocks * warps)
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


def _constants(op: _Operands, cut: Cut) -> dict[str, int | bool]:
    """Return what all three kernels are compiled for."""
    states = op.A.shape[1]
    length, width = op.x.shape[1:]
    whole = length % CHUNK == 0 and width % cut.channels == 0 and states == _padded(states)
    return {
        "N": states, "NP": _padded(states), "BLOCK_E": cut.channels, "K": CHUNK,
        "MASK": not whole, "MIXER": op.mixer,
        "num_warps": cut.warps, "num_stages": 1, "enable_fp_fusion": True,
    }  # fmt: skip


def _strides(**tensors: Tensor) -> dict[str, int]:
    """Return the strides of (batch, L, ...) tensors by the kernels' names."""
    strides = {}
    for name, tensor in tensors.items():
        strides[f"{name}_batch"], strides[f"{name}_row"] = tensor.stride()[:2]
    return strides


def _segment_ends(
    op: _Operands, cut: Cut, u: Tensor, w: Tensor, reverse: bool
) -> tuple[Tensor, Tensor]:
    """Return what the kernel of that name writes; stand-ins where there is one segment."""
    from edgesr.scan.fused_kernels import segment_ends

    if cut.segments == 1:
        return op.A, op.A
    batch, length, width = op.x.shape
    ends = op.A.new_empty(batch, cut.segments, width, op.A.shape[1])
    sums = op.A.new_empty(batch, cut.segments, width)
    segment_ends[cut.blocks, batch, cut.segments](
        u, op.dt, op.bias, op.A, w, op.z, ends, sums,
        length=length, channels=width, segment=cut.segment, REVERSE=reverse,
        u_col=u.stride(2), dt_col=op.dt.stride(2),
        **_strides(u=u, dt=op.dt, w=w, z=op.z), **_constants(op, cut),
    )  # fmt: skip
    return ends, sums


def forward(scan: Scan, save: bool) -> tuple[Tensor, Tensor]:
    """Return y (batch, L, E) in the dtype of x, and with `save` the states `backward` needs."""
    from edgesr.scan.fused_kernels import scan_forward

    cut, op = Cut.of(scan), _Operands.of(scan)
    batch, length, width = op.x.shape
    y = torch.empty(op.x.shape, dtype=op.x.dtype, device=op.x.device)
    states = op.A.new_empty(batch if save else 0, cut.chunks, width, op.A.shape[1])
    ends, sums = _segment_ends(op, cut, op.x, op.B, reverse=False)
    scan_forward[cut.blocks, batch, cut.segments](
        op.x, op.dt, op.bias, op.A, op.B, op.C, op.D, op.z,
        y, states, ends, sums,
        length=length, channels=width, segment=cut.segment, y_row=width,
        x_col=op.x.stride(2), dt_col=op.dt.stride(2), SAVE=save, SPLIT=cut.segments > 1,
        **_strides(x=op.x, dt=op.dt, b=op.B, c=op.C, z=op.z),
        **_constants(op, cut),
    )  # fmt: skip
    return y, states


@dataclass(frozen=True)
class Gradients:
    """Gradients of a scan's inputs; those of parameters in float32.

    Attributes:
        x, dt: (batch, L, E), in the dtypes of their inputs; dt is that before bias and softplus.
        BC: (batch, L, 2N), B before C.
        A: (E, N).
        D, bias: (E,).
    """

    x: Tensor
    dt: Tensor
    BC: Tensor
    A: Tensor
    D: Tensor
    bias: Tensor


def backward(scan: Scan, states: Tensor, dy: Tensor, dz: Tensor | None = None) -> Gradients:
    """Return the gradients; that of z is written to dz, (batch, L, E) with channels of stride 1."""
    from edgesr.scan.fused_backward import scan_backward

    cut, op = Cut.of(scan), _Operands.of(scan)
    batch, length, width = op.x.shape
    n = op.A.shape[1]
    ends, sums = _segment_ends(op, cut, dy, op.C, reverse=True)
    dx, ddt = (torch.empty(op.x.shape, dtype=t.dtype, device=t.device) for t in (op.x, op.dt))
    narrow = torch.promote_types(op.B.dtype, op.C.dtype)
    partial = op.A.new_empty(
        cut.blocks, batch, length, 2 * n, dtype=narrow if cut.blocks == 1 else torch.float32
    )
    db, dc = partial.chunk(2, dim=-1)
    da = op.A.new_empty(batch, cut.segments, width, n)
    dd, dbias = (op.A.new_empty(batch, cut.segments, width) for _ in range(2))
    dz = dx if dz is None else dz  # dx stands in, not written
    terms = 1 if narrow.itemsize == 2 else 3
    if not op.x.is_cuda or _padded(n) * CHUNK < SMALLEST_PRODUCT:
        terms = 0  # the interpreter has no bfloat16 products
    scan_backward[cut.blocks, batch, cut.segments](
        op.x, op.dt, op.bias, op.A, op.B, op.C, op.D, op.z, dy,
        states, ends, sums, dx, ddt, db, dc, dz, da, dd, dbias,
        length=length, channels=width, segment=cut.segment, dx_row=width,
        x_col=op.x.stride(2), dt_col=op.dt.stride(2), dy_col=dy.stride(2),
        db_block=db.stride(0), db_batch=db.stride(1), db_row=db.stride(2),
        SPLIT=cut.segments > 1, TERMS=terms,
        **_strides(x=op.x, dt=op.dt, b=op.B, c=op.C, z=op.z, dy=dy, dz=dz),
        **_constants(op, cut),
    )  # fmt: skip
    dbc = partial[0] if cut.blocks == 1 else partial.sum(0)
    return Gradients(dx, ddt, dbc, da.sum((0, 1)), dd.sum((0, 1)), dbias.sum((0, 1)))
