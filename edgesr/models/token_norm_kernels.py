"""Triton kernels of LayerNorm over short rows: many rows in a program, statistics in registers."""

# Triton compiles these functions; it knows no Python types.
# mypy: ignore-errors

import triton
import triton.language as tl


@triton.jit
def normalised(x, inside, width, epsilon: tl.constexpr):
    """Return (x - mean) / sqrt(variance + epsilon) of every row, and the divisor's inverse."""
    mean = tl.sum(x, 1) / width
    centred = tl.where(inside, x - mean[:, None], 0.0)
    scale = 1 / tl.sqrt(tl.sum(centred * centred, 1) / width + epsilon)
    return centred * scale[:, None], scale


@triton.jit
def norm_forward(
    x, weight, bias, y, rows,
    width: tl.constexpr, epsilon: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write y = normalised(x) weight + bias; x, y: (rows, width), contiguous."""
    column = tl.arange(0, BLOCK)
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    inside = (row[:, None] < rows) & (column[None, :] < width)
    place = row[:, None] * width + column[None, :]
    x_t = tl.load(x + place, inside, 0.0).to(tl.float32)
    gain = tl.load(weight + column, column < width, 0.0).to(tl.float32)
    offset = tl.load(bias + column, column < width, 0.0).to(tl.float32)
    unit, _ = normalised(x_t, inside, width, epsilon)
    tl.store(y + place, (unit * gain[None, :] + offset[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def norm_backward(
    x, weight, dy, added, dx, dweight, dbias, rows, tiles,
    width: tl.constexpr, epsilon: tl.constexpr,
    ROWS: tl.constexpr, BLOCK: tl.constexpr, ADD: tl.constexpr,
):  # fmt: skip
    """Write dx (rows, width), and each program's sums: dweight, dbias (programs, width).

    With ADD, `added` (rows, width) is added to dx: the gradient of x where x goes on beside y.
    """
    column = tl.arange(0, BLOCK)
    gain = tl.load(weight + column, column < width, 0.0).to(tl.float32)
    sum_weight = tl.zeros((ROWS, BLOCK), tl.float32)
    sum_bias = tl.zeros((ROWS, BLOCK), tl.float32)
    for i in range(tl.program_id(0), tiles, tl.num_programs(0)):
        row = tl.cast(i, tl.int64) * ROWS + tl.arange(0, ROWS)
        inside = (row[:, None] < rows) & (column[None, :] < width)
        place = row[:, None] * width + column[None, :]
        x_t = tl.load(x + place, inside, 0.0).to(tl.float32)
        dy_t = tl.load(dy + place, inside, 0.0).to(tl.float32)
        unit, scale = normalised(x_t, inside, width, epsilon)
        sum_weight += dy_t * unit
        sum_bias += dy_t
        dunit = dy_t * gain[None, :]
        along = tl.sum(dunit * unit, 1) / width
        mean = tl.sum(dunit, 1) / width
        dx_t = (dunit - unit * along[:, None] - mean[:, None]) * scale[:, None]
        if ADD:
            dx_t += tl.load(added + place, inside, 0.0).to(tl.float32)
        tl.store(dx + place, dx_t.to(dx.dtype.element_ty), inside)
    spot = tl.program_id(0) * width + column
    tl.store(dweight + spot, tl.sum(sum_weight, 0), column < width)
    tl.store(dbias + spot, tl.sum(sum_bias, 0), column < width)
