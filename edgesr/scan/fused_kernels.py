"""Triton kernels of the selective scan: a tile of channels and all their states in registers.

A program owns BLOCK_E channels of one sequence, or of one segment of it, and walks through time
in chunks of K steps. What belongs to a channel alone (dt, x, z, D) is loaded, computed and stored
as tiles (K, BLOCK_E), every value in one thread. The recurrence is unrolled over the K rows of
such tiles, with a state tile (BLOCK_E, N) that Triton spreads so that a thread holds up to four
states of one channel, four lanes hold a channel of sixteen, and warps differ in channels only: the
sum over N takes two shuffles, and the sum over channels is left to the matrix units.

A sequence may be split into segments that run side by side: `segment_ends` gives what each adds
to the state, and every segment of the main kernels chains those before it.

The specification is `edgesr.scan.reference`. With MIXER the kernels also hold what surrounds the
scan in a Mamba mixer: dt is softplus(dt + bias) and the output is y silu(z).

Steps are counted along the path of the scan; `tokens_of` says where a step's values lie.

Names: `*_batch` and `*_row` are strides, channels have stride 1 unless `*_col` says otherwise; NP
is N padded to a power of two. MASK is set when L, E or N do not fill their tiles; zeros stand
there, and dt = 0 leaves the state as it was.
"""

# Triton compiles these functions: it knows no Python types, and a kernel is one function.
# mypy: ignore-errors
# ruff: noqa: PLR0915

import triton
import triton.language as tl

from edgesr.scan.fused_tiles import (
    LOG2_E,
    columns,
    load_tile,
    row_pairs,
    sigmoid,
    softplus,
    stack,
    state_after,
    store_tile,
    tokens_of,
    within,
)


@triton.jit
def scan_forward(
    x, dt, bias, a, b, c, d, z, y, states, ends,
    x_batch, dt_batch, b_batch, c_batch, z_batch,
    length, segment, channels: tl.constexpr,
    x_row: tl.constexpr, x_col: tl.constexpr, dt_row: tl.constexpr, dt_col: tl.constexpr,
    b_row: tl.constexpr, c_row: tl.constexpr, z_row: tl.constexpr, y_row: tl.constexpr,
    N: tl.constexpr, NP: tl.constexpr, BLOCK_E: tl.constexpr, K: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
    MASK: tl.constexpr, SAVE: tl.constexpr, SPLIT: tl.constexpr, MIXER: tl.constexpr,
):  # fmt: skip
    """Write y (batch, L, E) and, with SAVE, the state before every chunk.

    states: (batch, chunks, E, N); ends: as `segment_ends` wrote them, read with SPLIT.
    """
    e = tl.program_id(0) * BLOCK_E + tl.arange(0, BLOCK_E)
    batch = tl.program_id(1).to(tl.int64)
    n = tl.arange(0, NP)
    k = tl.arange(0, K)
    tile = e[:, None] * N + n[None, :]
    inside = within(e, channels, n, N)
    size = channels * N
    decay_rate = load_tile(a + tile, inside, MASK)
    direct = load_tile(d + e, e < channels, MASK)
    if MIXER:
        shift = load_tile(bias + e, e < channels, MASK)
    x += batch * x_batch + e[None, :] * x_col
    dt += batch * dt_batch + e[None, :] * dt_col
    b += batch * b_batch + n[None, :]
    c += batch * c_batch + n[None, :]
    z += batch * z_batch + e[None, :]
    y += batch * length * y_row + e[None, :]
    states += batch * tl.cdiv(length, K) * size + tile
    first = tl.program_id(2) * segment
    end = tl.minimum(first + segment, length)
    h = tl.zeros((BLOCK_E, NP), tl.float32)
    if SPLIT:
        before = batch * tl.num_programs(2)
        h = state_after(
            ends, decay_rate, tile, e, before, before + tl.program_id(2), 1,
            channels, inside, N, MASK,
        )  # fmt: skip
    wide = within(first + k, length, e, channels)
    narrow = within(first + k, length, n, N)
    at = tokens_of(first, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
    next_x = load_tile(x + (at * x_row)[:, None], wide, MASK)
    next_dt = load_tile(dt + (at * dt_row)[:, None], wide, MASK)
    next_b = load_tile(b + (at * b_row)[:, None], narrow, MASK)
    next_c = load_tile(c + (at * c_row)[:, None], narrow, MASK)
    if MIXER:
        next_z = load_tile(z + (at * z_row)[:, None], wide, MASK)
    for t in range(first, end, K):
        here = at
        if SAVE:
            store_tile(states + t // K * size, h, inside, MASK)
        x_t, dt_t, b_t, c_t = next_x, next_dt, next_b, next_c
        if MIXER:
            z_t = next_z
            dt_t = softplus(dt_t + shift[None, :])
            dt_t = tl.where(wide, dt_t, 0.0) if MASK else dt_t
        ahead = t + K if MASK else tl.minimum(t + K, length - K)
        wide_ahead = within(ahead + k, length, e, channels)
        narrow = within(ahead + k, length, n, N)
        at = tokens_of(ahead, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
        next_x = load_tile(x + (at * x_row)[:, None], wide_ahead, MASK)
        next_dt = load_tile(dt + (at * dt_row)[:, None], wide_ahead, MASK)
        next_b = load_tile(b + (at * b_row)[:, None], narrow, MASK)
        next_c = load_tile(c + (at * c_row)[:, None], narrow, MASK)
        if MIXER:
            next_z = load_tile(z + (at * z_row)[:, None], wide_ahead, MASK)
        rows = row_pairs(dt_t * LOG2_E, dt_t * x_t, BLOCK_E, K)
        rows_bc = row_pairs(b_t, c_t, NP, K)
        rows_y = ()
        for i in tl.static_range(K):
            h = tl.exp2(rows[2 * i][:, None] * decay_rate) * h
            h += rows[2 * i + 1][:, None] * rows_bc[2 * i][None, :]
            rows_y += (tl.sum(h * rows_bc[2 * i + 1][None, :], 1),)
        y_t = stack(rows_y, BLOCK_E, K) + direct[None, :] * x_t
        if MIXER:
            y_t *= z_t * sigmoid(z_t)
        store_tile(y + (here * y_row)[:, None], y_t, wide, MASK)
        wide = wide_ahead


@triton.jit
def segment_ends(
    u, dt, bias, a, w, z, ends,
    u_batch, dt_batch, w_batch, z_batch,
    length, segment, channels: tl.constexpr,
    u_row: tl.constexpr, u_col: tl.constexpr, dt_row: tl.constexpr, dt_col: tl.constexpr,
    w_row: tl.constexpr, z_row: tl.constexpr,
    N: tl.constexpr, NP: tl.constexpr, BLOCK_E: tl.constexpr, K: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
    MASK: tl.constexpr, REVERSE: tl.constexpr, MIXER: tl.constexpr,
):  # fmt: skip
    """Write what each segment adds to the carried state, and its sum of dt.

    Forward, (u, w) = (x, B) and ends holds h after the segment from h = 0 before it; in REVERSE,
    (u, w) = (dy, C) and ends holds r before the segment from r = 0 after it.
    ends: (batch, segments, E N + E), the sums after the states.
    """
    e = tl.program_id(0) * BLOCK_E + tl.arange(0, BLOCK_E)
    batch = tl.program_id(1).to(tl.int64)
    n = tl.arange(0, NP)
    k = tl.arange(0, K)
    tile = e[:, None] * N + n[None, :]
    inside = within(e, channels, n, N)
    decay_rate = load_tile(a + tile, inside, MASK)
    if MIXER:
        shift = load_tile(bias + e, e < channels, MASK)
    u += batch * u_batch + e[None, :] * u_col
    dt += batch * dt_batch + e[None, :] * dt_col
    w += batch * w_batch + n[None, :]
    z += batch * z_batch + e[None, :]
    h = tl.zeros((BLOCK_E, NP), tl.float32)
    total = tl.zeros((K, BLOCK_E), tl.float32)
    first = tl.program_id(2) * segment
    chunks = tl.cdiv(tl.minimum(segment, length - first), K)
    t = first + (chunks - 1) * K if REVERSE else first
    wide = within(t + k, length, e, channels)
    at = tokens_of(t, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
    next_u = load_tile(u + (at * u_row)[:, None], wide, MASK)
    next_dt = load_tile(dt + (at * dt_row)[:, None], wide, MASK)
    next_w = load_tile(w + (at * w_row)[:, None], within(t + k, length, n, N), MASK)
    if MIXER and REVERSE:
        next_z = load_tile(z + (at * z_row)[:, None], wide, MASK)
    for i in range(1, chunks + 1):
        u_t, dt_t, w_t = next_u, next_dt, next_w
        if MIXER:
            dt_t = softplus(dt_t + shift[None, :])
            dt_t = tl.where(wide, dt_t, 0.0) if MASK else dt_t
            if REVERSE:
                u_t *= next_z * sigmoid(next_z)
        # The last chunk is loaded twice, so that nothing is read out of bounds.
        ahead = tl.minimum(i, chunks - 1)
        t = first + (chunks - 1 - ahead if REVERSE else ahead) * K
        wide = within(t + k, length, e, channels)
        at = tokens_of(t, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
        next_u = load_tile(u + (at * u_row)[:, None], wide, MASK)
        next_dt = load_tile(dt + (at * dt_row)[:, None], wide, MASK)
        next_w = load_tile(w + (at * w_row)[:, None], within(t + k, length, n, N), MASK)
        if MIXER and REVERSE:
            next_z = load_tile(z + (at * z_row)[:, None], wide, MASK)
        total += dt_t
        rows_w = columns(tl.trans(w_t), NP, K)
        rows = row_pairs(dt_t * LOG2_E, u_t if REVERSE else dt_t * u_t, BLOCK_E, K)
        for j in tl.static_range(K):
            if REVERSE:
                h += rows[2 * (K - 1 - j) + 1][:, None] * rows_w[K - 1 - j][None, :]
                h *= tl.exp2(rows[2 * (K - 1 - j)][:, None] * decay_rate)
            else:
                h *= tl.exp2(rows[2 * j][:, None] * decay_rate)
                h += rows[2 * j + 1][:, None] * rows_w[j][None, :]
    place = batch * tl.num_programs(2) + tl.program_id(2)
    ends += place * channels * (N + 1)
    store_tile(ends + tile, h, inside, MASK)
    store_tile(ends + channels * N + e, tl.sum(total, 0), e < channels, MASK)
