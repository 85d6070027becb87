"""The scan of `edgesr.export.levels` for an engine: as few layers as it takes.

A builder makes a layer of each constant that a product reads, again for each product, and one of
each change of shape that it cannot leave out; the bounds of a Clip are none. So a sequence is an
image (batch, steps, 1, width) here, and a product with a matrix a convolution of 1x1, whose kernel
is no layer. Every level but the first gives the state before each of its steps, which needs no
padding. The last level gives pairs that do not count a logarithm of `NEVER`, and sums over the
others.
"""

import numpy as np
from numpy.typing import NDArray

from edgesr.export.graph import GraphBuilder
from edgesr.export.levels import LEAST, STEPS, between, most_steps

NEVER = -1e4
"""Logarithm of a decay of which nothing is left: its exponential is 0 in float32."""


def scan_states_for_engine(
    g: GraphBuilder, s: str, u: str, length: int, width: int, reverse: bool
) -> str:
    """Write the scan as `edgesr.export.levels.scan_states` does, of few layers.

    Args:
        g: receives the nodes.
        s: name of the logarithms of the decays, at most 0, (batch * length / STEPS, STEPS, 1,
            width).
        u: name of what each step adds, of the same shape.
        length: number of steps, a multiple of what `whole_length` gives for few levels.
        width: number of values that are scanned side by side.
        reverse: begin with the last step.

    Returns:
        name of the states, of the same shape.
    """
    return _level(g, s, u, 1, length, width, most_steps(length, few_levels=True), reverse, False)


def _level(
    g: GraphBuilder,
    s: str,
    u: str,
    scale: int,
    length: int,
    width: int,
    most: int,
    reverse: bool,
    before: bool,
) -> str:
    """Return the states after every step, or before it; `scale` times s are the logarithms.

    Row t of `sums` adds up the steps before t, where t = `STEPS` is the end of the chunk. The row
    of its beginning, t = 0, is there if states before steps are asked for.
    """
    s = g.op("Clip", s, *(g.constant(np.full((), end)) for end in (LEAST / scale, 0)))
    sums = np.tril(np.ones((STEPS + 1, STEPS)), -1)[0 if before else 1 :]
    sums = sums[::-1, ::-1] if reverse else sums
    centred = _product(g, scale * (sums - 0.5), s)
    grown = g.op("Exp", centred)
    after = _cut(g, grown, 1, STEPS, reverse)[1] if before else grown
    found = _product(g, sums, g.op("Div", u, after))
    if length == STEPS:
        return g.mul(grown, found)
    kept = STEPS if before else STEPS - 1
    _, half = _cut(g, centred, kept, 1, reverse)
    factor, middle = _cut(g, grown, kept, 1, reverse)
    states, last = _cut(g, found, kept, 1, reverse)
    carry = _carry(g, half, g.mul(middle, last), length // STEPS, width, most, reverse)
    if not before:
        factor, states = grown, found
    return g.mul(factor, g.add(states, g.mul(carry, middle)))


def _carry(
    g: GraphBuilder, half: str, last: str, count: int, width: int, most: int, reverse: bool
) -> str:
    """Return the state before each of `count` chunks, (batch * count, 1, 1, width).

    Args:
        g: receives the nodes.
        half: name of (batch * count, 1, 1, width), half the sum of s over each chunk.
        last: name of (batch * count, 1, 1, width), the state after each, from zero.
        count: number of chunks.
        width: as in `scan_states_for_engine`.
        most: number of steps that the last level may have.
        reverse: as in `scan_states_for_engine`.
    """
    if count <= most:
        states = _pairs(g, half, last, count, width, reverse)
    else:
        half, last = (g.reshape(name, -1, STEPS, 1, width) for name in (half, last))
        states = _level(g, half, last, 2, count, width, most, reverse, True)
    return g.reshape(states, -1, 1, 1, width)


def _pairs(g: GraphBuilder, half: str, u: str, steps: int, width: int, reverse: bool) -> str:
    """Return the state before each of `steps` steps, (batch, steps, 1, width), from all pairs."""
    sums, counts = between(steps, reverse)
    never = g.constant(np.where(counts, 0.0, NEVER))
    logarithms = _product(g, 2 * sums, g.reshape(half, -1, steps, 1, width), never)
    decays = g.op("Exp", g.reshape(logarithms, -1, steps, steps, width))
    weighed = g.mul(decays, g.reshape(u, -1, 1, steps, width))
    return g.op("ReduceSum", weighed, g.integers(2), keepdims=1)


def _product(g: GraphBuilder, matrix: NDArray[np.float64], x: str, *bias: str) -> str:
    """Return a matrix times every column of an image (batch, steps, 1, width)."""
    kernel = g.constant(matrix[:, :, None, None])
    return g.op("Conv", x, kernel, *bias, kernel_shape=[1, 1])


def _cut(g: GraphBuilder, x: str, first: int, then: int, reverse: bool) -> list[str]:
    """Cut the rows of an image into the first, as the scan goes, and those then."""
    sizes = g.integers(then, first) if reverse else g.integers(first, then)
    parts = g.ops("Split", 2, x, sizes, axis=1)
    return parts[::-1] if reverse else parts
