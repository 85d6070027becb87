"""Triton kernels of the selective scan: one warp owns a tile of channels and all their states.

The state is a tile (BLOCK_E, N) in registers with the channels along the lanes, so that one time
step of a sequence laid out (batch, L, E) is one contiguous read. Time runs in the program, in
chunks of K unrolled steps whose rows are loaded one chunk ahead. A sequence may be split into
segments that run side by side: `segment_ends` gives what each adds to the state, `carry` chains
these, and the main kernels start every segment from the state so found.

Rows past the end are clamped to the last one and given dt = 0 (and dy = 0), which leaves the
state as it was; channels past E are clamped likewise and never stored.

The specification is `edgesr.scan.reference`; the backward pass follows from it with

    r_t = exp(dt_t A) g_t,  g_t = C_t dy_t + r_{t+1}      (g_t is the gradient of h_t)
"""

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1.4426950408889634)
LN_2 = tl.constexpr(0.6931471805599453)


@triton.jit
def _rows(pointer, columns, stride, t, last, K: tl.constexpr):
    """Load K rows from t on, the last row again where there are no more."""
    rows = ()
    for k in tl.static_range(K):
        rows += (tl.load(pointer + tl.minimum(t + k, last) * stride + columns),)
    return rows


@triton.jit
def scan_forward(
    x, dt, a, b, c, d, y, states, starts,
    x_batch, x_row, x_col, dt_batch, dt_row, dt_col, b_batch, b_row, c_batch, c_row,
    length, channels, segment,
    N: tl.constexpr, NP: tl.constexpr, BLOCK_E: tl.constexpr, K: tl.constexpr,
    SAVE: tl.constexpr, SPLIT: tl.constexpr,
):  # fmt: skip
    """Write y (batch, L, E) and, with SAVE, the state before every chunk.

    states: (batch, chunks, E, N); starts: (batch, segments, E, N), read with SPLIT.
    """
    e = tl.program_id(0) * BLOCK_E + tl.arange(0, BLOCK_E)
    batch = tl.program_id(1).to(tl.int64)
    part = tl.program_id(2)
    n = tl.arange(0, NP)
    e_in = tl.minimum(e, channels - 1)
    n_in = tl.minimum(n, N - 1)
    inside = (e[:, None] < channels) & (n[None, :] < N)
    a2 = tl.load(a + e_in[:, None] * N + n_in[None, :]) * LOG2_E
    direct = tl.load(d + e_in)
    x += batch * x_batch
    dt += batch * dt_batch
    b += batch * b_batch
    c += batch * c_batch
    y += batch * length * channels
    chunks = tl.cdiv(length, K)
    tile = e[:, None] * N + n[None, :]
    h = tl.zeros((BLOCK_E, NP), tl.float32)
    if SPLIT:
        h = tl.load(starts + (batch * tl.num_programs(2) + part) * N * channels + tile, inside, 0.0)
    first = part * segment
    last = length - 1
    end = tl.minimum(first + segment, length)
    next_x = _rows(x, e_in * x_col, x_row, first, last, K)
    next_dt = _rows(dt, e_in * dt_col, dt_row, first, last, K)
    next_b = _rows(b, n_in, b_row, first, last, K)
    next_c = _rows(c, n_in, c_row, first, last, K)
    for t in range(first, end, K):
        if SAVE:
            tl.store(states + (batch * chunks + t // K) * N * channels + tile, h, inside)
        this_x, this_dt, this_b, this_c = next_x, next_dt, next_b, next_c
        next_x = _rows(x, e_in * x_col, x_row, t + K, last, K)
        next_dt = _rows(dt, e_in * dt_col, dt_row, t + K, last, K)
        next_b = _rows(b, n_in, b_row, t + K, last, K)
        next_c = _rows(c, n_in, c_row, t + K, last, K)
        for k in tl.static_range(K):
            row_x = this_x[k].to(tl.float32)
            row_dt = this_dt[k].to(tl.float32)
            row_c = this_c[k].to(tl.float32)
            if NP > N:
                row_c = tl.where(n < N, row_c, 0.0)
            h = tl.exp2(row_dt[:, None] * a2) * h
            h += (row_dt * row_x)[:, None] * this_b[k].to(tl.float32)[None, :]
            row_y = tl.sum(h * row_c[None, :], 1) + direct * row_x
            # Steps past the end spoil h, which nothing reads any more.
            tl.store(
                y + (t + k) * channels + e,
                row_y.to(y.dtype.element_ty),
                e < tl.where(t + k < end, channels, 0),
            )


@triton.jit
def segment_ends(
    u, dt, a, w, ends, sums,
    u_batch, u_row, u_col, dt_batch, dt_row, dt_col, w_batch, w_row,
    length, channels, segment,
    N: tl.constexpr, NP: tl.constexpr, BLOCK_E: tl.constexpr, K: tl.constexpr,
    REVERSE: tl.constexpr,
):  # fmt: skip
    """Write what each segment adds to the carried state, and its sum of dt.

    Forward, (u, w) = (x, B) and ends holds h after the segment from h = 0 before it; in REVERSE,
    (u, w) = (dy, C) and ends holds r before the segment from r = 0 after it.
    ends: (batch, segments, E, N); sums: (batch, segments, E).
    """
    e = tl.program_id(0) * BLOCK_E + tl.arange(0, BLOCK_E)
    batch = tl.program_id(1).to(tl.int64)
    part = tl.program_id(2)
    n = tl.arange(0, NP)
    e_in = tl.minimum(e, channels - 1)
    n_in = tl.minimum(n, N - 1)
    inside = (e[:, None] < channels) & (n[None, :] < N)
    a2 = tl.load(a + e_in[:, None] * N + n_in[None, :]) * LOG2_E
    u += batch * u_batch
    dt += batch * dt_batch
    w += batch * w_batch
    h = tl.zeros((BLOCK_E, NP), tl.float32)
    total = tl.zeros((BLOCK_E,), tl.float32)
    first = part * segment
    last = tl.minimum(first + segment, length) - 1
    for i in range(0, segment, K):
        t = first + (segment - K - i if REVERSE else i)
        rows_u = _rows(u, e_in * u_col, u_row, t, last, K)
        rows_dt = _rows(dt, e_in * dt_col, dt_row, t, last, K)
        rows_w = _rows(w, n_in, w_row, t, last, K)
        if REVERSE:
            rows_u, rows_dt, rows_w = rows_u[::-1], rows_dt[::-1], rows_w[::-1]
        for j in tl.static_range(K):
            valid = (t + K - 1 - j if REVERSE else t + j) <= last
            row_u = tl.where(valid, rows_u[j].to(tl.float32), 0.0)
            row_dt = tl.where(valid, rows_dt[j].to(tl.float32), 0.0)
            row_w = rows_w[j].to(tl.float32)
            decay = tl.exp2(row_dt[:, None] * a2)
            if REVERSE:
                h = decay * (h + row_u[:, None] * row_w[None, :])
            else:
                h = decay * h + (row_dt * row_u)[:, None] * row_w[None, :]
            total += row_dt
    place = batch * tl.num_programs(2) + part
    tl.store(ends + place * N * channels + e[:, None] * N + n[None, :], h, inside)
    tl.store(sums + place * channels + e, total, e < channels)


@triton.jit
def carry(
    ends, sums, a, segments, channels,
    N: tl.constexpr, NP: tl.constexpr, BLOCK_E: tl.constexpr, REVERSE: tl.constexpr,
):  # fmt: skip
    """Turn what `segment_ends` wrote into the state each segment starts from, in place."""
    e = tl.program_id(0) * BLOCK_E + tl.arange(0, BLOCK_E)
    batch = tl.program_id(1).to(tl.int64)
    n = tl.arange(0, NP)
    e_in = tl.minimum(e, channels - 1)
    n_in = tl.minimum(n, N - 1)
    inside = (e[:, None] < channels) & (n[None, :] < N)
    a2 = tl.load(a + e_in[:, None] * N + n_in[None, :]) * LOG2_E
    h = tl.zeros((BLOCK_E, NP), tl.float32)
    for i in range(segments):
        place = batch * segments + (segments - 1 - i if REVERSE else i)
        tile = ends + place * N * channels + e[:, None] * N + n[None, :]
        total = tl.load(sums + place * channels + e_in)
        added = tl.load(tile, inside, 0.0)
        tl.store(tile, h, inside)
        h = tl.exp2(total[:, None] * a2) * h + added


@triton.jit
def scan_backward(
    x, dt, a, b, c, d, dy, states, starts,
    dx, ddt, db, dc, da, dd,
    x_batch, x_row, x_col, dt_batch, dt_row, dt_col, b_batch, b_row, c_batch, c_row,
    dy_batch, dy_row, dy_col,
    length, channels, segment,
    N: tl.constexpr, NP: tl.constexpr, BLOCK_E: tl.constexpr, K: tl.constexpr,
    SPLIT: tl.constexpr,
):  # fmt: skip
    """Write all six gradients, those summed over programs as partial sums.

    dx, ddt: (batch, L, E); db, dc: (blocks of channels, batch, L, N);
    da: (batch, segments, E, N); dd: (batch, segments, E).
    states: as `scan_forward` saved them; starts: r after every segment, read with SPLIT.
    """
    e = tl.program_id(0) * BLOCK_E + tl.arange(0, BLOCK_E)
    batch = tl.program_id(1).to(tl.int64)
    part = tl.program_id(2)
    n = tl.arange(0, NP)
    e_in = tl.minimum(e, channels - 1)
    n_in = tl.minimum(n, N - 1)
    inside = (e[:, None] < channels) & (n[None, :] < N)
    a2 = tl.load(a + e_in[:, None] * N + n_in[None, :]) * LOG2_E
    direct = tl.load(d + e_in)
    x += batch * x_batch
    dt += batch * dt_batch
    b += batch * b_batch
    c += batch * c_batch
    dy += batch * dy_batch
    dx += batch * length * channels
    ddt += batch * length * channels
    rows_before = (tl.program_id(0) * tl.num_programs(1) + batch) * length
    db += rows_before * N
    dc += rows_before * N
    chunks = tl.cdiv(length, K)
    tile = e[:, None] * N + n[None, :]
    place = batch * tl.num_programs(2) + part
    r = tl.zeros((BLOCK_E, NP), tl.float32)
    if SPLIT:
        r = tl.load(starts + place * N * channels + tile, inside, 0.0)
    sum_a = tl.zeros((BLOCK_E, NP), tl.float32)
    sum_d = tl.zeros((BLOCK_E,), tl.float32)
    first = part * segment
    last = length - 1
    end = tl.minimum(first + segment, length)
    for i in range(0, tl.cdiv(end - first, K)):
        t = first + (tl.cdiv(end - first, K) - 1 - i) * K
        rows_x = _rows(x, e_in * x_col, x_row, t, last, K)
        rows_dt = _rows(dt, e_in * dt_col, dt_row, t, last, K)
        rows_b = _rows(b, n_in, b_row, t, last, K)
        rows_c = _rows(c, n_in, c_row, t, last, K)
        rows_dy = _rows(dy, e_in * dy_col, dy_row, t, last, K)
        h = tl.load(states + (batch * chunks + t // K) * N * channels + tile, inside, 0.0)
        before = ()  # the state each step of the chunk starts from
        for k in tl.static_range(K):
            before += (h,)
            row_x = rows_x[k].to(tl.float32)
            real = e < tl.where(t + k <= last, channels, 0)
            row_dt = tl.where(real, rows_dt[k].to(tl.float32), 0.0)
            h = tl.exp2(row_dt[:, None] * a2) * h
            h += (row_dt * row_x)[:, None] * rows_b[k].to(tl.float32)[None, :]
        for k in tl.static_range(K - 1, -1, -1):
            valid = t + k <= last
            real = e < tl.where(valid, channels, 0)
            row_x = rows_x[k].to(tl.float32)
            row_dt = tl.where(real, rows_dt[k].to(tl.float32), 0.0)
            row_dy = tl.where(real, rows_dy[k].to(tl.float32), 0.0)
            row_b = rows_b[k].to(tl.float32)
            row_c = rows_c[k].to(tl.float32)
            if NP > N:
                row_c = tl.where(n < N, row_c, 0.0)
            g = r + row_dy[:, None] * row_c[None, :]
            row_dc = tl.sum(row_dy[:, None] * h, 0)
            row_db = tl.sum((row_dt * row_x)[:, None] * g, 0)
            du = tl.sum(g * row_b[None, :], 1)
            r = tl.exp2(row_dt[:, None] * a2) * g
            h = before[k]
            rh = r * h
            row_ddt = row_x * du + LN_2 * tl.sum(rh * a2, 1)
            sum_a += rh * row_dt[:, None]
            sum_d += row_dy * row_x
            row_dx = row_dt * du + direct * row_dy
            stored_n = n < tl.where(valid, N, 0)
            place_t = (t + k) * channels + e
            tl.store(dx + place_t, row_dx.to(dx.dtype.element_ty), real)
            tl.store(ddt + place_t, row_ddt.to(ddt.dtype.element_ty), real)
            tl.store(db + (t + k) * N + n, row_db, stored_n)
            tl.store(dc + (t + k) * N + n, row_dc, stored_n)
    tl.store(da + place * N * channels + tile, sum_a, inside)
    tl.store(dd + place * channels + e, sum_d, e < channels)
