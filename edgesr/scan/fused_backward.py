"""Triton kernel of the scan's backward pass; the plan and the names are those of `fused_kernels`.

    r_t = exp(dt_t A) g_t,  g_t = C_t dy_t + r_{t+1}      (g_t is the gradient of h_t)

A chunk starts from the state the forward pass saved, computes its states again and keeps them in
registers, then runs through them in reverse. With MIXER it also computes dt and y again.
"""

# Triton compiles these functions: it knows no Python types and no starred tuples, and a kernel is
# one function.
# mypy: ignore-errors
# ruff: noqa: PLR0915, RUF005

import triton
import triton.language as tl

from edgesr.scan.fused_tiles import (
    LN_2,
    LOG2_E,
    channel_sums,
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
def scan_backward(
    x, dt, bias, a, b, c, d, z, dy, states, ends,
    dx, ddt, db, dc, dz, parts,
    x_batch, dt_batch, b_batch, c_batch, z_batch, dy_batch, db_block, db_batch, dz_batch,
    length, segment, channels: tl.constexpr,
    x_row: tl.constexpr, x_col: tl.constexpr, dt_row: tl.constexpr, dt_col: tl.constexpr,
    b_row: tl.constexpr, c_row: tl.constexpr, z_row: tl.constexpr,
    dy_row: tl.constexpr, dy_col: tl.constexpr,
    dx_row: tl.constexpr, db_row: tl.constexpr, dz_row: tl.constexpr,
    N: tl.constexpr, NP: tl.constexpr, BLOCK_E: tl.constexpr, K: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
    MASK: tl.constexpr, SPLIT: tl.constexpr, MIXER: tl.constexpr, TERMS: tl.constexpr,
):  # fmt: skip
    """Write all gradients, those summed over programs as partial sums.

    dx, ddt: (batch, L, E); db, dc: (blocks of channels, batch, L, N), of equal strides;
    parts: (batch, segments, E N + E), those of A and of D, and with MIXER E more, of the bias.
    states: as `scan_forward` saved them; ends: as `segment_ends` wrote them in REVERSE.
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
    dy += batch * dy_batch + e[None, :] * dy_col
    dx += batch * length * dx_row + e[None, :]
    ddt += batch * length * dx_row + e[None, :]
    dz += batch * dz_batch + e[None, :]
    block = tl.program_id(0).to(tl.int64) * db_block + batch * db_batch
    db += block + n[None, :]
    dc += block + n[None, :]
    states += batch * tl.cdiv(length, K) * size + tile
    place = batch * tl.num_programs(2) + tl.program_id(2)
    first = tl.program_id(2) * segment
    end = tl.minimum(first + segment, length)
    r = tl.zeros((BLOCK_E, NP), tl.float32)
    if SPLIT:
        final = (batch + 1) * tl.num_programs(2) - 1
        r = state_after(
            ends, decay_rate, tile, e, final, place, -1,
            channels, inside, N, MASK,
        )  # fmt: skip
    sum_a = tl.zeros((BLOCK_E, NP), tl.float32)
    sum_d = tl.zeros((K, BLOCK_E), tl.float32)
    sum_bias = tl.zeros((K, BLOCK_E), tl.float32)
    last = first + (tl.cdiv(end - first, K) - 1) * K
    wide = within(last + k, length, e, channels)
    narrow = within(last + k, length, n, N)
    at = tokens_of(last, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
    next_h = load_tile(states + last // K * size, inside, MASK)
    next_x = load_tile(x + (at * x_row)[:, None], wide, MASK)
    next_dt = load_tile(dt + (at * dt_row)[:, None], wide, MASK)
    next_dy = load_tile(dy + (at * dy_row)[:, None], wide, MASK)
    next_b = load_tile(b + (at * b_row)[:, None], narrow, MASK)
    next_c = load_tile(c + (at * c_row)[:, None], narrow, MASK)
    if MIXER:
        next_z = load_tile(z + (at * z_row)[:, None], wide, MASK)
    for i in range(0, end - first, K):
        t = last - i
        here = at
        h, x_t, dt_t, dy_t, b_t, c_t = next_h, next_x, next_dt, next_dy, next_b, next_c
        wide = within(t + k, length, e, channels)
        narrow = within(t + k, length, n, N)
        if MIXER:
            z_t = next_z
            v_t = dt_t + shift[None, :]
            dt_t = softplus(v_t)
            dt_t = tl.where(wide, dt_t, 0.0) if MASK else dt_t
            gate = sigmoid(z_t)
            dout_t = dy_t
            dy_t *= z_t * gate
        ahead = tl.maximum(t - K, 0)
        next_h = load_tile(states + ahead // K * size, inside, MASK)
        wide_ahead = within(ahead + k, length, e, channels)
        narrow_ahead = within(ahead + k, length, n, N)
        at = tokens_of(ahead, k, length, HEIGHT, WIDTH, BACKWARD, EVEN)
        next_x = load_tile(x + (at * x_row)[:, None], wide_ahead, MASK)
        next_dt = load_tile(dt + (at * dt_row)[:, None], wide_ahead, MASK)
        next_dy = load_tile(dy + (at * dy_row)[:, None], wide_ahead, MASK)
        next_b = load_tile(b + (at * b_row)[:, None], narrow_ahead, MASK)
        next_c = load_tile(c + (at * c_row)[:, None], narrow_ahead, MASK)
        if MIXER:
            next_z = load_tile(z + (at * z_row)[:, None], wide_ahead, MASK)
        rows = row_pairs(dt_t * LOG2_E, dt_t * x_t, BLOCK_E, K)
        rows_bc = row_pairs(b_t, c_t, NP, K)
        rows_dy = columns(tl.trans(dy_t), BLOCK_E, K)
        decays, before, rows_y = (), (), ()
        for j in tl.static_range(K):
            decays += (tl.exp2(rows[2 * j][:, None] * decay_rate),)
            before += (h,)  # the state each step starts from
            h = decays[j] * h + rows[2 * j + 1][:, None] * rows_bc[2 * j][None, :]
            if MIXER:
                rows_y += (tl.sum(h * rows_bc[2 * j + 1][None, :], 1),)
        products_b, products_c, rows_du, rows_decay = (), (), (), ()
        for j in tl.static_range(K - 1, -1, -1):
            g = r + rows_dy[j][:, None] * rows_bc[2 * j + 1][None, :]
            products_c = (rows_dy[j][:, None] * h,) + products_c
            products_b = (rows[2 * j + 1][:, None] * g,) + products_b
            rows_du = (tl.sum(g * rows_bc[2 * j][None, :], 1),) + rows_du
            r = decays[j] * g
            h = before[j]
            rh = r * h
            sum_a += rh * rows[2 * j][:, None]
            rows_decay = (tl.sum(rh * decay_rate, 1),) + rows_decay
        du_t = stack(rows_du, BLOCK_E, K)
        ddt_t = x_t * du_t + stack(rows_decay, BLOCK_E, K)
        sum_d += dy_t * x_t
        if MIXER:
            y_t = stack(rows_y, BLOCK_E, K) + direct[None, :] * x_t
            dz_t = dout_t * y_t * gate * (1 + z_t * (1 - gate))
            store_tile(dz + (here * dz_row)[:, None], dz_t, wide, MASK)
            ddt_t *= sigmoid(v_t)
            sum_bias += ddt_t
        store_tile(dx + (here * dx_row)[:, None], dt_t * du_t + direct[None, :] * dy_t, wide, MASK)
        store_tile(ddt + (here * dx_row)[:, None], ddt_t, wide, MASK)
        store_tile(
            db + (here * db_row)[:, None],
            channel_sums(products_b, BLOCK_E, NP, K, TERMS),
            narrow,
            MASK,
        )
        store_tile(
            dc + (here * db_row)[:, None],
            channel_sums(products_c, BLOCK_E, NP, K, TERMS),
            narrow,
            MASK,
        )
    parts += place * (channels * (N + 2 if MIXER else N + 1))
    store_tile(parts + tile, sum_a * LN_2, inside, MASK)
    store_tile(parts + size + e, tl.sum(sum_d, 0), e < channels, MASK)
    if MIXER:
        store_tile(parts + size + channels + e, tl.sum(sum_bias, 0), e < channels, MASK)
