"""What every chunked form of the scan shares: cutting into chunks, and the carry over them.

A sequence of L steps is K chunks of T steps (edgesr/scan/chunked.py has the idea). A state is laid
out (batch K, N, E): channels innermost, so that every product runs along E, a chunk's C_t h_t is a
row times a matrix, and the sequence (batch, L, E) becomes (batch K, T, E) without moving a value.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgesr.export.graph import Builder


@dataclass(frozen=True)
class ScanNode:
    """One scan to be written out: names of its tensors, its constants and sizes.

    Attributes:
        x: name of (batch, L, E).
        dt: name of (batch, L, E).
        B: name of (batch, L, N).
        C: name of (batch, L, N).
        A: (E, N) values.
        D: (E,) values.
        length: L.
    """

    x: str
    dt: str
    B: str
    C: str
    A: NDArray[np.floating]
    D: NDArray[np.floating]
    length: int

    @property
    def sizes(self) -> tuple[int, int]:
        """Return N and E."""
        return int(self.A.shape[1]), int(self.A.shape[0])


@dataclass(frozen=True)
class Cut:
    """How a sequence is cut: `steps` in a chunk, `outer * inner` chunks, zeros at the end.

    Zeros change no state: their decay is exp(0) and they add nothing.
    """

    length: int
    steps: int

    @property
    def inner(self) -> int:
        """Chunks in a block; the carry goes over blocks of chunks, then over chunks."""
        chunks = -(-self.length // self.steps)
        return max(1, math.isqrt(chunks - 1) + 1) if chunks > 1 else 1

    @property
    def outer(self) -> int:
        """Number of blocks."""
        return -(-self.length // (self.steps * self.inner))

    @property
    def padded(self) -> int:
        """Length with the zeros behind the sequence."""
        return self.outer * self.inner * self.steps


def pad(g: Builder, x: str, length: int, padded: int) -> str:
    """(batch, length, W) -> (batch, padded, W)."""
    if length == padded:
        return x
    return g.op("Pad", x, g.integers(0, 0, 0, 0, padded - length, 0))


def crop(g: Builder, y: str, length: int, padded: int) -> str:
    """Undo `pad`."""
    if length == padded:
        return y
    return g.op("Slice", y, g.integers(0), g.integers(length), g.integers(1))


def decay(g: Builder, dt: str, A_t: str) -> str:
    """(M, 1, E), (N, E) -> exp(dt A) (M, N, E)."""
    return g.op("Exp", g.mul(dt, A_t))


def carry(
    g: Builder,
    cut: Cut,
    product: str,
    last: str,
    sizes: tuple[int, int],
    initial: str | None = None,
) -> str:
    """Return the state that enters each chunk, in two levels.

    Args:
        g: receives the nodes.
        cut: gives the two levels.
        product: (M, N, E) product of a chunk's decays.
        last: (M, N, E) state a chunk ends with when it starts from zero.
        sizes: N and E.
        initial: (batch, N, E) state before the first chunk; None: zero.

    Returns:
        name of (M, N, E)
    """
    inner, outer = cut.inner, cut.outer
    products = g.split(g.reshape(product, -1, inner, *sizes), inner, 1, axis=1)
    lasts = g.split(g.reshape(last, -1, inner, *sizes), inner, 1, axis=1)
    # Within every block, from a zero state: after i chunks.
    ends, decays = [lasts[0]], [products[0]]
    for i in range(1, inner):
        ends.append(g.add(g.mul(products[i], ends[-1]), lasts[i]))
        decays.append(g.mul(products[i], decays[-1]))
    # Over the blocks.
    block_ends = g.split(g.reshape(ends[-1], -1, outer, *sizes), outer, 1, axis=1)
    block_decays = g.split(g.reshape(decays[-1], -1, outer, *sizes), outer, 1, axis=1)
    if initial is None:
        first = g.mul(block_ends[0], g.constant(np.zeros(1)))
    else:
        first = g.reshape(initial, -1, 1, *sizes)
    entering = [first]
    for i in range(outer - 1):
        carried = g.mul(block_decays[i], entering[-1])
        entering.append(g.add(carried, block_ends[i]))
    block = g.reshape(g.concat(entering, 1), -1, 1, *sizes)
    states = [block]
    states += [g.add(g.mul(decays[i], block), ends[i]) for i in range(inner - 1)]
    return g.reshape(g.concat(states, 1), -1, *sizes)
