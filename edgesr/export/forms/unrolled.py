"""The scan with every step of a chunk written out: no Scan, Loop or If, so a board can run it."""

from edgesr.export.forms.chunks import Cut, ScanNode, carry, crop, decay, pad
from edgesr.export.graph import Builder


def unrolled(g: Builder, scan: ScanNode, steps: int) -> str:
    """Write the scan out; all chunks of `steps` steps run side by side.

    Returns:
        name of y (batch, L, E)
    """
    cut = Cut(scan.length, steps)
    sequences = [pad(g, name, cut.length, cut.padded) for name in (scan.x, scan.dt, scan.B, scan.C)]
    y, _ = run_chunks(g, cut, g.constant(scan.A.T), sequences, scan.sizes)
    y = crop(g, y, cut.length, cut.padded)
    return g.add(y, g.mul(scan.x, g.constant(scan.D)))


def run_chunks(
    g: Builder,
    cut: Cut,
    A_t: str,
    sequences: list[str],
    sizes: tuple[int, int],
    initial: str | None = None,
) -> tuple[str, str]:
    """Run chunks side by side: once for their last states, then from the true ones.

    Args:
        g: receives the nodes.
        cut: how the sequences are cut.
        A_t: (N, E) decay rates.
        sequences: x, dt, B and C, padded: (batch, L, E or N).
        sizes: N and E.
        initial: (batch, N, E) state before the first step; None: zero.

    Returns:
        names of y without D's part (batch, L, E), and of the last states of chunks (M, N, E)
    """
    (N, E), steps = sizes, cut.steps
    x, dt, B, C = sequences
    dts = g.split(g.reshape(dt, -1, steps, E), steps, 1, axis=1)  # (M, 1, E)
    dxs = g.split(g.reshape(g.mul(dt, x), -1, steps, E), steps, 1, axis=1)
    bs = g.split(g.reshape(B, -1, steps * N, 1), steps, N, axis=1)  # (M, N, 1)
    cs = g.split(g.reshape(C, -1, steps, N), steps, 1, axis=1)  # (M, 1, N)
    decays = [decay(g, dt_t, A_t) for dt_t in dts]  # (M, N, E)
    added = [g.mul(b_t, dx_t) for b_t, dx_t in zip(bs, dxs, strict=True)]
    state = added[0]
    for t in range(1, steps):
        state = g.add(g.mul(decays[t], state), added[t])
    total = g.op("ReduceSum", g.reshape(dt, -1, steps, E), g.integers(1))  # (M, 1, E)
    state = carry(g, cut, decay(g, total, A_t), state, sizes, initial)
    ys = []
    for t in range(steps):
        state = g.add(g.mul(decays[t], state), added[t])
        # One state needs no sum: a product is fused with its neighbours, a matrix product is not.
        ys.append(g.mul(cs[t], state) if N == 1 else g.op("MatMul", cs[t], state))  # (M, 1, E)
    return g.reshape(g.concat(ys, 1), -1, cut.padded, E), state
