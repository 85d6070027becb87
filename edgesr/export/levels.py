"""The selective scan without a loop: levels of small chunks, each written as matrix products.

For every channel and state, h_t = exp(s_t) h_{t-1} + u_t with s_t = dt_t A <= 0 (edgesr/scan/
reference.py). Cut into chunks of T steps, with c_t = s_1 + ... + s_t inside a chunk and k the state
in which it begins, h_t = exp(c_t) (sum over j <= t of u_j exp(-c_j) + k). The sums c are a product
with a triangle of ones, the same for all chunks. The last step of every chunk, its sum of s and its
state from zero, is one step of the next level, a sequence T times shorter; the states that this
finds are the k. The last level holds few steps and weighs every pair of them by exp(c_t - c_j), of
which none exceeds 1.

exp(-c_j) grows. So s is kept above `LEAST`, whose exponential is nothing beside 1 in float32, and c
is lessened by half its value at the end of the chunk, which then is itself half the sum of s over
the chunk. Nothing leaves float32 then, however large dt is.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edgesr.export.graph import GraphBuilder

STEPS = 8
"""Steps of a chunk: exp(-c) is then at most exp(4 |LEAST|) = 3e29, which leaves 1e9 to u."""

LEAST = -17.0
"""Of the logarithm of a decay: exp of it, 4e-8, is less than half of the spacing at 1."""


def scan_states(g: GraphBuilder, s: str, u: str, length: int, width: int, reverse: bool) -> str:
    """Write the scan of sequences of (batch, length, width), whose shapes may be any that hold it.

    Args:
        g: receives the nodes.
        s: name of the logarithms of the decays, at most 0.
        u: name of what each step adds.
        length: number of steps, a multiple of what `whole_length` gives.
        width: number of values that are scanned side by side.
        reverse: begin with the last step.

    Returns:
        name of the states, in a shape that holds (batch, length, width).
    """
    return _level(g, s, u, 1, length, width, most_steps(length), reverse)


def whole_length(length: int, few_levels: bool = False) -> int:
    """Return the least number of steps, `length` or more, that every level cuts without a rest.

    Args:
        length: steps that there are.
        few_levels: rather more pairs in the last level, which a GPU multiplies at no cost, than a
            level more, which there is a dozen of layers.
    """
    chunk, count = STEPS, -(-length // STEPS)
    while count > most_steps(length, few_levels):
        chunk, count = chunk * STEPS, -(-count // STEPS)
    return count * chunk


def most_steps(length: int, few_levels: bool = False) -> int:
    """Return how many steps the last level may have.

    Its pairs are then as many as the steps of `length`; else a quarter, for they cost a CPU more.
    """
    return max(STEPS, math.isqrt(length) // (1 if few_levels else 2))


def _level(
    g: GraphBuilder, s: str, u: str, scale: int, length: int, width: int, most: int, reverse: bool
) -> str:
    """Return the states after every step; see `scan_states`.

    The logarithms of the decays are `scale` times s.

    `most` is the number of steps that the last level may have, at least `STEPS`.
    """
    count = length // STEPS
    s = g.op("Max", s, g.constant(np.full((), LEAST / scale)))
    s, u = (g.reshape(name, -1, STEPS, width) for name in (s, u))
    centred = g.op("MatMul", g.constant(scale * _centred(reverse)), s)
    grown = g.op("Exp", centred)
    sums = g.op("CumSum", g.op("Div", u, grown), g.indices(np.array(1)), reverse=int(reverse))
    if count > 1:
        half, middle, last = (_last(g, name, reverse) for name in (centred, grown, sums))
        carry = _carry(g, half, g.mul(middle, last), count, width, most, reverse)
        sums = g.add(sums, g.mul(carry, middle))
    return g.mul(grown, sums)


def _carry(
    g: GraphBuilder, half: str, last: str, count: int, width: int, most: int, reverse: bool
) -> str:
    """Return the state before each of `count` chunks, (batch * count, 1, width).

    Args:
        g: receives the nodes.
        half: name of (batch * count, 1, width), half the sum of s over each chunk.
        last: name of (batch * count, 1, width), the state after each, from zero.
        count: number of chunks.
        width: as in `scan_states`.
        most: as in `_level`.
        reverse: as in `scan_states`.
    """
    if count <= most:
        before = _pairs(g, half, last, count, width, reverse)
    else:
        states = _level(g, half, last, 2, count, width, most, reverse)
        states = g.reshape(states, -1, count, width)
        # A step later, behind a state of zeros; the last state is before no chunk.
        pads = (0, -1, 0, 0, 1, 0) if reverse else (0, 1, 0, 0, -1, 0)
        before = g.op("Pad", states, g.integers(*pads))
    return g.reshape(before, -1, 1, width)


def _pairs(g: GraphBuilder, half: str, u: str, steps: int, width: int, reverse: bool) -> str:
    """Return the state before each of `steps` steps, (batch, steps, width), from all pairs."""
    sums, counts = between(steps, reverse)
    copies = np.tile(np.eye(steps), (steps, 1))
    kept = np.repeat(np.eye(steps), steps, axis=1) * counts
    half, u = (g.reshape(name, -1, steps, width) for name in (half, u))
    decays = g.op("Exp", g.op("MatMul", g.constant(2 * sums), half))  # of every pair
    weighed = g.mul(decays, g.op("MatMul", g.constant(copies), u))
    return g.op("MatMul", g.constant(kept), weighed)


def _last(g: GraphBuilder, x: str, reverse: bool) -> str:
    """Return the step of each chunk that the scan reaches last."""
    start = 0 if reverse else STEPS - 1
    return g.op("Slice", x, g.integers(start), g.integers(start + 1), g.integers(1))


def _triangle(steps: int, reverse: bool) -> NDArray[np.float64]:
    """Return the matrix that sums each step and those before it."""
    lower = np.tril(np.ones((steps, steps)))
    return lower.T if reverse else lower


def _centred(reverse: bool) -> NDArray[np.float64]:
    """Return the matrix that makes c of s, less half of what c is at the end of the chunk."""
    return _triangle(STEPS, reverse) - 0.5


def between(steps: int, reverse: bool) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the matrix that sums s after step j and before step t, and whether j is before t.

    Row t * steps + j of the first, and value t * steps + j of the second, belong to the pair. The
    row is zero where j is not before t.
    """
    at = np.arange(steps)
    t, j, i = np.ix_(at, at, at)
    sums, counts = (j < i) & (i < t), (j < t)[:, :, 0]
    if reverse:
        sums, counts = sums[::-1, ::-1, ::-1], counts[::-1, ::-1]
    return sums.reshape(steps * steps, steps).astype(float), counts.reshape(-1)
