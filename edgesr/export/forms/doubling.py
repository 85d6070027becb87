"""The scan of a chunk in log2(T) rounds (Hillis and Steele 1986): few nodes, more arithmetic."""

from edgesr.export.forms.chunks import Cut, ScanNode, carry, crop, decay, pad
from edgesr.export.graph import Builder


def doubling(g: Builder, scan: ScanNode, steps: int) -> str:
    """Write the scan out; after round r every step holds the sum of the last 2**r steps.

    Returns:
        name of y (batch, L, E)
    """
    N, E = scan.sizes
    cut = Cut(scan.length, steps)
    A_t = g.constant(scan.A.T)
    x, dt, B, C = (
        pad(g, name, cut.length, cut.padded) for name in (scan.x, scan.dt, scan.B, scan.C)
    )
    product = decay(g, g.reshape(dt, -1, steps, 1, E), A_t)  # (M, T, N, E)
    dx = g.reshape(g.mul(dt, x), -1, steps, 1, E)
    state = g.mul(g.reshape(B, -1, steps, N, 1), dx)
    reach = 1
    while reach < steps:
        head, tail = _part(g, state, 0, reach), _part(g, state, reach, steps)
        first, rest = _part(g, product, 0, reach), _part(g, product, reach, steps)
        earlier, before = (_part(g, s, 0, steps - reach) for s in (state, product))
        state = g.concat([head, g.add(g.mul(rest, earlier), tail)], 1)
        product = g.concat([first, g.mul(rest, before)], 1)
        reach *= 2
    last, total = (g.reshape(_part(g, s, steps - 1, steps), -1, N, E) for s in (state, product))
    entering = g.reshape(carry(g, cut, total, last, (N, E)), -1, 1, N, E)
    state = g.add(g.mul(product, entering), state)
    y = g.op("MatMul", g.reshape(C, -1, steps, 1, N), state)  # (M, T, 1, E)
    y = crop(g, g.reshape(y, -1, cut.padded, E), cut.length, cut.padded)
    return g.add(y, g.mul(scan.x, g.constant(scan.D)))


def _part(g: Builder, x: str, start: int, end: int) -> str:
    """Return steps start to end of (M, T, N, E)."""
    return g.op("Slice", x, g.integers(start), g.integers(end), g.integers(1))
