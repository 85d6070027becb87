"""Building blocks of the scan's Triton kernels: masked tiles, rows of tiles, sums."""

# Triton compiles these functions; it knows no Python types.
# mypy: ignore-errors

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1.4426950408889634)
LN_2 = tl.constexpr(0.6931471805599453)
SOFTPLUS_LINEAR = tl.constexpr(20.0)  # beyond it softplus(v) is v, as in torch
SOFTPLUS_SERIES = tl.constexpr(0.03)  # exp(v) under which four terms are exact in float32


@triton.jit
def load_tile(pointers, mask, MASK: tl.constexpr):
    """Load as float32; zeros outside the mask."""
    if MASK:
        return tl.load(pointers, mask, 0.0).to(tl.float32)
    else:
        return tl.load(pointers).to(tl.float32)


@triton.jit
def store_tile(pointers, values, mask, MASK: tl.constexpr):
    """Store in the dtype of the pointers."""
    if MASK:
        tl.store(pointers, values.to(pointers.dtype.element_ty), mask)
    else:
        tl.store(pointers, values.to(pointers.dtype.element_ty))


@triton.jit
def within(rows, length, columns, width):
    """Return the mask (rows, columns) of what lies inside (length, width)."""
    return (rows[:, None] < length) & (columns[None, :] < width)


@triton.jit
def tokens_of(
    t, k, length,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, BACKWARD: tl.constexpr, EVEN: tl.constexpr,
):  # fmt: skip
    """Return the tokens of steps t + k; `edgesr.scan.path.ScanPath.token` is the specification.

    HEIGHT is 0 for a walk along rows. EVEN says that no such run of steps crosses from one column
    to the next: its tokens are then equally far apart, and only the first is computed.
    """
    if HEIGHT == 0:
        if BACKWARD:
            return (length - 1 - t) - k
        else:
            return t + k
    elif EVEN:
        if BACKWARD:
            s = length - 1 - t
            return (s % HEIGHT * WIDTH + s // HEIGHT) - k * WIDTH
        else:
            return (t % HEIGHT * WIDTH + t // HEIGHT) + k * WIDTH
    else:
        s = length - 1 - (t + k) if BACKWARD else t + k
        return s % HEIGHT * WIDTH + s // HEIGHT


@triton.jit
def sigmoid(v):
    """1 / (1 + exp(-v))."""
    return 1 / (1 + tl.exp2(v * -LOG2_E))


@triton.jit
def softplus(v):
    """log(1 + exp(v)); by its series where the 1 would swallow the digits of exp(v)."""
    u = tl.exp2(v * LOG2_E)
    series = u * (1 - u * (1 / 2 - u * (1 / 3 - u / 4)))
    inner = tl.where(u < SOFTPLUS_SERIES, series, tl.log2(1 + u) * LN_2)
    return tl.where(v > SOFTPLUS_LINEAR, v, inner)


@triton.jit
def join(rows, K: tl.constexpr):
    """Stack K tensors along new trailing axes of 2, the first of them the most significant."""
    if K == 1:
        return rows[0]
    else:
        pairs = ()
        for k in tl.static_range(K // 2):
            pairs += (tl.join(rows[k], rows[k + K // 2]),)
        return join(pairs, K // 2)


@triton.jit
def columns(tile, W: tl.constexpr, K: tl.constexpr):
    """Return the K columns of a tile (W, K)."""
    if K == 1:
        return (tl.reshape(tile, (W,)),)
    else:
        even, odd = tl.split(tl.reshape(tile, (W, K // 2, 2)))
        evens = columns(even, W, K // 2)
        odds = columns(odd, W, K // 2)
        found = ()
        for k in tl.static_range(K // 2):
            found += (evens[k], odds[k])
        return found


@triton.jit
def row_pairs(first, second, W: tl.constexpr, K: tl.constexpr):
    """Return the rows of two tiles (K, W), alternating: together they cross the warps once."""
    both = tl.permute(tl.join(first, second), (1, 0, 2))
    return columns(tl.reshape(both, (W, 2 * K)), W, 2 * K)


@triton.jit
def stack(rows, W: tl.constexpr, K: tl.constexpr):
    """Stack K rows to a tile (K, W)."""
    return tl.trans(tl.reshape(join(rows, K), (W, K)))


@triton.jit
def channel_sums(tiles, E: tl.constexpr, N: tl.constexpr, K: tl.constexpr, TERMS: tl.constexpr):
    """Sum K tiles (E, N) over their channels: (K, N).

    With TERMS the sum is a product with ones on the matrix units. Each bfloat16 term carries 8
    bits of the float32 summands: one is enough for 16-bit results, three keep all.
    """
    tiles = tl.reshape(join(tiles, K), (E, N * K))
    if TERMS == 0:
        sums = tl.sum(tiles, 0)
    else:
        summands = tl.trans(tiles)
        ones = tl.full((E, 16), 1 / 16, tl.bfloat16)
        products = tl.zeros((N * K, 16), tl.float32)
        for _ in tl.static_range(TERMS):
            term = summands.to(tl.bfloat16)
            products = tl.dot(term, ones, products)
            summands -= term.to(tl.float32)
        sums = tl.sum(products, 1)
    return tl.trans(tl.reshape(sums, (N, K)))


@triton.jit
def state_after(
    ends, decay_rate, tile, e, first, last, step: tl.constexpr,
    channels, inside, N: tl.constexpr, MASK: tl.constexpr,
):  # fmt: skip
    """Chain what `segment_ends` wrote for the segments from `first` up to, not with, `last`."""
    h = tl.zeros_like(decay_rate)
    # Unrolled, so that the loads of eight segments are under way at once.
    for place in tl.range(first, last, step, loop_unroll_factor=8):
        written = ends + place * channels * (N + 1)
        total = load_tile(written + channels * N + e, e < channels, MASK)
        added = load_tile(written + tile, inside, MASK)
        h = tl.exp2((total * LOG2_E)[:, None] * decay_rate) * h + added
    return h
