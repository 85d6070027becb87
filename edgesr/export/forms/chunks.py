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
    def channels(self) -> int:
        """Return E."""
        return int(self.A.shape[0])

    @property
    def state(self) -> int:
        """Return N."""
        return int(self.A.shape[1])


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
    def padding(self) -> int:
        """Zeros behind the sequence."""
        return self.outer * self.inner * self.steps - self.length

    def pad(self, g: Builder, x: str) -> str:
        """(batch, L, W) -> (batch, outer inner steps, W)."""
        if not self.padding:
            return x
        return g.op("Pad", x, g.integers(0, 0, 0, 0, self.padding, 0))

    def crop(self, g: Builder, y: str) -> str:
        """Undo `pad`."""
        if not self.padding:
            return y
        return g.op("Slice", y, g.integers(0), g.integers(self.length), g.integers(1))


def decay(g: Builder, dt: str, A_t: str) -> str:
    """(M, 1, E), (N, E) -> exp(dt A) (M, N, E)."""
    return g.op("Exp", g.mul(dt, A_t))


def carry(g: Builder, cut: Cut, product: str, last: str, state: int, channels: int) -> str:
    """Return the state that enters each chunk, in two levels.

    Args:
        g: receives the nodes.
        cut: gives the two levels.
        product: (M, N, E) product of a chunk's decays.
        last: (M, N, E) state a chunk ends with when it starts from zero.
        state: N.
        channels: E.

    Returns:
        name of (M, N, E)
    """
    inner, outer = cut.inner, cut.outer
    products = g.split(g.reshape(product, -1, inner, state, channels), inner, 1, axis=1)
    lasts = g.split(g.reshape(last, -1, inner, state, channels), inner, 1, axis=1)
    # Within every block, from a zero state: after i chunks.
    ends, decays = [lasts[0]], [products[0]]
    for i in range(1, inner):
        ends.append(g.add(g.mul(products[i], ends[-1]), lasts[i]))
        decays.append(g.mul(products[i], decays[-1]))
    # Over the blocks.
    block_ends = g.split(g.reshape(ends[-1], -1, outer, state, channels), outer, 1, axis=1)
    block_decays = g.split(g.reshape(decays[-1], -1, outer, state, channels), outer, 1, axis=1)
    zero = g.mul(block_ends[0], g.constant(np.zeros(1)))
    entering = [zero, *block_ends[:1]][:outer]
    for i in range(1, outer - 1):
        entering.append(g.add(g.mul(block_decays[i], entering[-1]), block_ends[i]))
    block = g.reshape(g.concat(entering, 1), -1, 1, state, channels)
    states = [block]
    states += [g.add(g.mul(decays[i], block), ends[i]) for i in range(inner - 1)]
    return g.reshape(g.concat(states, 1), -1, state, channels)
