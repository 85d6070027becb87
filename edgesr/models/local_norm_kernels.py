"""Triton kernels of a depthwise convolution over tokens, added to them, and the norm behind it.

    u = t + conv(t),   y = normalised(u) gain + offset

Tokens are (batch * HEIGHT * WIDTH, width), pictures in raster order. A program owns DEPTH
rows of STRIP pixels and all their channels. It walks down the rows with SIDE unfinished sums:
a row that is read, once for each shift to the side, is added to all rows that it reaches. So a
token is read SIDE times and not SIDE * SIDE times, and the taps stay in registers. The forward pass
asks for a row while the row before it is worked on; the backward pass reads a row when it is due.
"""

# Triton compiles these functions; it knows no Python types, and no unpacking in a tuple.
# mypy: ignore-errors
# ruff: noqa: RUF005

import triton
import triton.language as tl

from edgesr.models.token_norm_kernels import normalised


@triton.jit
def _share(
    STRIP: tl.constexpr, DEPTH: tl.constexpr, HEIGHT: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Return the program's picture, its first row and its columns (STRIP)."""
    strips: tl.constexpr = (WIDTH + STRIP - 1) // STRIP
    shares: tl.constexpr = strips * ((HEIGHT + DEPTH - 1) // DEPTH)
    program = tl.program_id(0)
    across = program % strips * STRIP + tl.arange(0, STRIP)
    return program // shares, program % shares // strips * DEPTH, across


@triton.jit
def _read(x, row, across, column, width, there, WIDTH: tl.constexpr):
    """Return x (STRIP, BLOCK) at the pixels, zero outside the picture's columns and if not there.

    x points at a picture; one picture has fewer than 2**31 numbers, a batch may have more.
    """
    end = tl.where(there, WIDTH, 0)
    inside = ((across >= 0) & (across < end))[:, None] & (column < width)[None, :]
    place = (row * WIDTH + across)[:, None] * width + column[None, :]
    return tl.load(x + place, inside, 0.0).to(tl.float32)


@triton.jit
def _shifts(
    x, row, across, column, width,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, SIDE: tl.constexpr,
):  # fmt: skip
    """Return the SIDE neighbours in a row of x, zero outside the picture, the left one first."""
    there = (row >= 0) & (row < HEIGHT)
    shifts = ()
    for right in tl.static_range(SIDE):
        moved = across + (right - SIDE // 2)
        shifts = shifts + (_read(x, row, moved, column, width, there, WIDTH),)
    return shifts


@triton.jit
def _done(row, first, across, column, width, HEIGHT: tl.constexpr, WIDTH: tl.constexpr):
    """Return where a finished row lies in its picture, and which of it is the program's to write.

    Rows above the first are the share above's, whose sums are not whole here.
    """
    end = tl.where((row >= first) & (row < HEIGHT), WIDTH, 0)
    inside = (across < end)[:, None] & (column < width)[None, :]
    return (row * WIDTH + across)[:, None] * width + column[None, :], inside


@triton.jit
def _taps(kernel, column, within, SIDE: tl.constexpr):
    """Return the SIDE * SIDE taps, each (1, BLOCK), of kernel: (width, SIDE, SIDE)."""
    taps = ()
    for tap in tl.static_range(SIDE * SIDE):
        value = tl.load(kernel + column * (SIDE * SIDE) + tap, within, 0.0).to(tl.float32)
        taps = taps + (value[None, :],)
    return taps


@triton.jit
def _zeros(count: tl.constexpr, STRIP: tl.constexpr, BLOCK: tl.constexpr):
    """Return `count` sums (STRIP, BLOCK)."""
    sums = ()
    for _ in tl.static_range(count):
        sums = sums + (tl.zeros((STRIP, BLOCK), tl.float32),)
    return sums


@triton.jit
def local_norm_forward(
    t, kernel, gain, offset, u, y,
    width: tl.constexpr, epsilon: tl.constexpr, BLOCK: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, SIDE: tl.constexpr,
    STRIP: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Write u and y (tokens, width); kernel: (width, SIDE, SIDE)."""
    REACH: tl.constexpr = SIDE // 2
    column = tl.arange(0, BLOCK)
    within = column < width
    picture, first, across = _share(STRIP, DEPTH, HEIGHT, WIDTH)
    start = picture.to(tl.int64) * (HEIGHT * WIDTH * width)
    gains = tl.load(gain + column, within, 0.0).to(tl.float32)
    offsets = tl.load(offset + column, within, 0.0).to(tl.float32)
    taps = _taps(kernel, column, within, SIDE)
    sums = _zeros(SIDE, STRIP, BLOCK)  # sums[i] is of the row read - REACH + i
    # Read one row ahead, for a load does not overtake a row's stores. Measured on an H200, 128
    # pictures of 64x64 with 32 float32 channels: 57 us, and 66 us without.
    coming = _shifts(t + start, first - REACH, across, column, width, HEIGHT, WIDTH, SIDE)
    for step in range(DEPTH + 2 * REACH):
        read = first - REACH + step
        shifts = coming
        coming = _shifts(t + start, read + 1, across, column, width, HEIGHT, WIDTH, SIDE)
        for right in tl.static_range(SIDE):
            longer = ()
            for i in tl.static_range(SIDE):
                total = sums[i] + taps[(SIDE - 1 - i) * SIDE + right] * shifts[right]
                if i == REACH and right == REACH:
                    total += shifts[right]
                longer = longer + (total,)
            sums = longer
        place, inside = _done(read - REACH, first, across, column, width, HEIGHT, WIDTH)
        tl.store(u + start + place, sums[0].to(u.dtype.element_ty), inside)
        unit, _ = normalised(sums[0], inside, width, epsilon)
        y_t = unit * gains[None, :] + offsets[None, :]
        tl.store(y + start + place, y_t.to(y.dtype.element_ty), inside)
        sums = sums[1:] + _zeros(1, STRIP, BLOCK)


@triton.jit
def local_backward(
    t, kernel, du, dt, dkernel,
    width: tl.constexpr, BLOCK: tl.constexpr,
    HEIGHT: tl.constexpr, WIDTH: tl.constexpr, SIDE: tl.constexpr,
    STRIP: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    """Write dt (tokens, width) from du, and each program's sums for the kernel.

    dkernel: (programs, SIDE * SIDE, width).
    """
    REACH: tl.constexpr = SIDE // 2
    column = tl.arange(0, BLOCK)
    within = column < width
    picture, first, across = _share(STRIP, DEPTH, HEIGHT, WIDTH)
    start = picture.to(tl.int64) * (HEIGHT * WIDTH * width)
    taps = _taps(kernel, column, within, SIDE)
    sums = _zeros(SIDE, STRIP, BLOCK)  # of dt; sums[i] is of the row read - REACH + i
    rows = _zeros(SIDE, STRIP, BLOCK)  # of t, the same rows, zero where not the program's
    products = _zeros(SIDE * SIDE, STRIP, BLOCK)
    end = min(first + DEPTH, HEIGHT)
    # Nothing is read ahead: the same measurement gives 83 us, and 94 us with it. The likely cause
    # is a register file that is full of sums, rows and products.
    for step in range(DEPTH + 2 * REACH):
        read = first - REACH + step
        row = read + REACH
        # A product belongs to the program that owns t's token, so that none is counted twice.
        shifts = _shifts(du + start, read, across, column, width, HEIGHT, WIDTH, SIDE)
        t_t = _read(t + start, row, across, column, width, row < end, WIDTH)
        rows = rows[1:] + (t_t,)
        added = ()
        for right in tl.static_range(SIDE):
            # The pixel that read a pixel of this program by this tap lies on the other side.
            du_t = shifts[SIDE - 1 - right]
            longer = ()
            for i in tl.static_range(SIDE):
                total = sums[i] + taps[i * SIDE + right] * du_t
                if i == REACH and right == REACH:
                    total += du_t
                longer = longer + (total,)
                added = added + (products[right * SIDE + i] + rows[i] * du_t,)
            sums = longer
        products = added
        place, inside = _done(read - REACH, first, across, column, width, HEIGHT, WIDTH)
        tl.store(dt + start + place, sums[0].to(dt.dtype.element_ty), inside)
        sums = sums[1:] + _zeros(1, STRIP, BLOCK)
    spot = dkernel + tl.program_id(0) * (SIDE * SIDE * width) + column
    for right in tl.static_range(SIDE):
        for i in tl.static_range(SIDE):
            product = tl.sum(products[right * SIDE + i], 0)
            tl.store(spot + (i * SIDE + right) * width, product, within)
