"""Triton kernels of a depthwise convolution over tokens, added to them, and the norm behind it.

    u = t + conv(t),   y = normalised(u) gain + offset

Tokens are (batch * HEIGHT * WIDTH, width), pictures in raster order. A program owns ROWS tokens and
all their channels; the neighbours of a token are read for every tap, which the cache serves.
"""

# Triton compiles these functions; it knows no Python types.
# mypy: ignore-errors

import triton
import triton.language as tl

from edgesr.models.token_norm_kernels import normalised


@triton.jit
def _neighbour(
    x, token, column, inside, width, down: tl.constexpr, right: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Return x at the pixels `down` rows and `right` columns further, zero outside the picture."""
    row = token // WIDTH % HEIGHT + down
    across = token % WIDTH + right
    there = (row >= 0) & (row < HEIGHT) & (across >= 0) & (across < WIDTH)
    place = (token + down * WIDTH + right)[:, None] * width + column[None, :]
    return tl.load(x + place, inside & there[:, None], 0.0).to(tl.float32)


@triton.jit
def local_norm_forward(
    t, kernel, gain, offset, u, y, tokens, width,
    epsilon: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, SIDE: tl.constexpr,
):  # fmt: skip
    """Write u and y (tokens, width); kernel: (width, SIDE, SIDE)."""
    column = tl.arange(0, BLOCK)
    within = column < width
    token = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    inside = (token[:, None] < tokens) & within[None, :]
    place = token[:, None] * width + column[None, :]
    sum_u = tl.load(t + place, inside, 0.0).to(tl.float32)
    for tap in tl.static_range(SIDE * SIDE):
        taps = tl.load(kernel + column * (SIDE * SIDE) + tap, within, 0.0).to(tl.float32)
        sum_u += taps[None, :] * _neighbour(
            t, token, column, inside, width, tap // SIDE - SIDE // 2, tap % SIDE - SIDE // 2,
            HEIGHT, WIDTH,
        )  # fmt: skip
    tl.store(u + place, sum_u.to(u.dtype.element_ty), inside)
    gains = tl.load(gain + column, within, 0.0).to(tl.float32)
    offsets = tl.load(offset + column, within, 0.0).to(tl.float32)
    unit, _ = normalised(sum_u, inside, width, epsilon)
    tl.store(y + place, (unit * gains[None, :] + offsets[None, :]).to(y.dtype.element_ty), inside)


@triton.jit
def local_backward(
    t, kernel, du, dt, dkernel, tokens, width,
    ROWS: tl.constexpr, BLOCK: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, SIDE: tl.constexpr,
):  # fmt: skip
    """Write dt (tokens, width) from du, and each program's sums for the kernel.

    dkernel: (programs, SIDE * SIDE, width).
    """
    column = tl.arange(0, BLOCK)
    within = column < width
    program = tl.program_id(0).to(tl.int64)
    token = program * ROWS + tl.arange(0, ROWS)
    inside = (token[:, None] < tokens) & within[None, :]
    place = token[:, None] * width + column[None, :]
    t_t = tl.load(t + place, inside, 0.0).to(tl.float32)
    sum_t = tl.load(du + place, inside, 0.0).to(tl.float32)
    for tap in tl.static_range(SIDE * SIDE):
        # The pixel that read this one by this tap lies on the other side.
        du_t = _neighbour(
            du, token, column, inside, width, SIDE // 2 - tap // SIDE, SIDE // 2 - tap % SIDE,
            HEIGHT, WIDTH,
        )  # fmt: skip
        taps = tl.load(kernel + column * (SIDE * SIDE) + tap, within, 0.0).to(tl.float32)
        sum_t += taps[None, :] * du_t
        spot = (program * (SIDE * SIDE) + tap) * width + column
        tl.store(dkernel + spot, tl.sum(t_t * du_t, 0), within)
    tl.store(dt + place, sum_t.to(dt.dtype.element_ty), inside)
