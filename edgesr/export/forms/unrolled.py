"""The scan with every step of a chunk written out: no Scan, Loop or If, so a board can run it."""

from edgesr.export.forms.chunks import Cut, ScanNode, carry, decay
from edgesr.export.graph import Builder


def unrolled(g: Builder, scan: ScanNode, steps: int) -> str:
    """Write the scan out; chunks of `steps` steps run side by side.

    Returns:
        name of y (batch, L, E)
    """
    N, E = scan.state, scan.channels
    cut = Cut(scan.length, steps)
    A_t = g.constant(scan.A.T)
    x, dt, B, C = (cut.pad(g, name) for name in (scan.x, scan.dt, scan.B, scan.C))
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
    state = carry(g, cut, decay(g, total, A_t), state, N, E)
    ys = []
    for t in range(steps):
        state = g.add(g.mul(decays[t], state), added[t])
        ys.append(g.op("MatMul", cs[t], state))  # (M, 1, E)
    y = g.reshape(g.concat(ys, 1), -1, cut.length + cut.padding, E)
    return g.add(cut.crop(g, y), g.mul(scan.x, g.constant(scan.D)))
