"""Triton kernels of the mixer's causal depthwise convolution with SiLU, forward and backward.

    v_t = bias + sum_j weight_j x_{t - W + 1 + j},   out_t = silu(v_t)

Steps t are counted along the path of the scan. A program owns ROWS steps of one sequence and all
its channels. Rows are read once for every tap, which the cache serves. The backward pass is two
kernels: the gradient of v, with v computed again, and the same taps turned around.
"""

# Triton compiles these functions; it knows no Python types.
# mypy: ignore-errors

import triton
import triton.language as tl

from edgesr.scan.fused_tiles import load_tile, sigmoid, store_tile, tokens_of, within


@triton.jit
def _tap(
    x, weight, j: tl.constexpr, shift: tl.constexpr, first, length, e, channels, x_row,
    W: tl.constexpr, ROWS: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
):  # fmt: skip
    """Return x at ROWS steps from `first + shift` on, zero outside, and tap j (1, BLOCK_E)."""
    k = tl.arange(0, ROWS)
    step = first + shift + k
    inside = within(step, length, e, channels) & (step[:, None] >= 0)
    # A shifted run of steps crosses from column to column: it is never even.
    token = tokens_of(first + shift, k, length, HEIGHT, WIDTH, BACKWARD, EVEN and shift == 0)
    rows = load_tile(x + token[:, None] * x_row + e[None, :], inside, True)
    return rows, load_tile(weight + e * W + j, e < channels, True)[None, :]


@triton.jit
def conv_silu_forward(
    x, weight, bias, out, x_batch, length,
    channels: tl.constexpr, x_row: tl.constexpr,
    W: tl.constexpr, ROWS: tl.constexpr, BLOCK_E: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
):  # fmt: skip
    """x, out: (batch, L, E), channels of stride 1, out contiguous; weight: (E, W); bias: (E,)."""
    batch = tl.program_id(1).to(tl.int64)
    e = tl.arange(0, BLOCK_E)
    k = tl.arange(0, ROWS)
    first = tl.program_id(0) * ROWS
    v = load_tile(bias + e, e < channels, True)[None, :]
    for j in tl.static_range(W):
        rows, tap = _tap(
            x + batch * x_batch, weight, j, j - W + 1, first, length, e, channels, x_row,
            W, ROWS, HEIGHT, WIDTH, BACKWARD, EVEN,
        )  # fmt: skip
        v += tap * rows
    token = tokens_of(first, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
    out += (batch * length + token[:, None]) * channels + e[None, :]
    store_tile(out, v * sigmoid(v), within(first + k, length, e, channels), True)


@triton.jit
def conv_silu_gradients(
    x, weight, bias, gradient, dweight, dbias, x_batch, length,
    channels: tl.constexpr, x_row: tl.constexpr,
    W: tl.constexpr, ROWS: tl.constexpr, BLOCK_E: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
):  # fmt: skip
    """Turn the gradient of out (batch, L, E) into that of v, in place; sum those of the taps.

    dweight: (programs, W, E), dbias: (programs, E), the sums of every program.
    """
    batch = tl.program_id(1).to(tl.int64)
    e = tl.arange(0, BLOCK_E)
    k = tl.arange(0, ROWS)
    first = tl.program_id(0) * ROWS
    x += batch * x_batch
    v = load_tile(bias + e, e < channels, True)[None, :]
    for j in tl.static_range(W):
        rows, tap = _tap(
            x, weight, j, j - W + 1, first, length, e, channels, x_row,
            W, ROWS, HEIGHT, WIDTH, BACKWARD, EVEN,
        )  # fmt: skip
        v += tap * rows
    gate = sigmoid(v)
    token = tokens_of(first, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
    gradient += (batch * length + token[:, None]) * channels + e[None, :]
    inside = within(first + k, length, e, channels)
    dv = load_tile(gradient, inside, True) * gate * (1 + v * (1 - gate))
    store_tile(gradient, dv, inside, True)
    place = batch * tl.num_programs(0) + tl.program_id(0)
    tl.store(dbias + place * channels + e, tl.sum(dv, 0), e < channels)
    for j in tl.static_range(W):
        rows, _ = _tap(
            x, weight, j, j - W + 1, first, length, e, channels, x_row,
            W, ROWS, HEIGHT, WIDTH, BACKWARD, EVEN,
        )  # fmt: skip
        tl.store(dweight + (place * W + j) * channels + e, tl.sum(dv * rows, 0), e < channels)


@triton.jit
def conv_input_gradient(
    dv, weight, dx, dx_batch, length,
    channels: tl.constexpr, dx_row: tl.constexpr,
    W: tl.constexpr, ROWS: tl.constexpr, BLOCK_E: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
):  # fmt: skip
    """Write dx (batch, L, E), channels of stride 1, from the gradient of v (batch, L, E)."""
    batch = tl.program_id(1).to(tl.int64)
    e = tl.arange(0, BLOCK_E)
    k = tl.arange(0, ROWS)
    first = tl.program_id(0) * ROWS
    dv += batch * length * channels
    sum_x = tl.zeros((ROWS, BLOCK_E), tl.float32)
    for j in tl.static_range(W):
        rows, tap = _tap(
            dv, weight, j, W - 1 - j, first, length, e, channels, channels,
            W, ROWS, HEIGHT, WIDTH, BACKWARD, EVEN,
        )  # fmt: skip
        sum_x += tap * rows
    token = tokens_of(first, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
    dx += batch * dx_batch + token[:, None] * dx_row + e[None, :]
    store_tile(dx, sum_x, within(first + k, length, e, channels), True)
