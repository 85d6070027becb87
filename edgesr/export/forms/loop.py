"""The scan as two ONNX `Scan` nodes over the steps of a chunk: the smallest graph."""

import numpy as np
from onnx import GraphProto, ValueInfoProto, helper

from edgesr.export.forms.chunks import Cut, ScanNode, carry, decay
from edgesr.export.graph import Builder


def loop(g: Builder, scan: ScanNode, steps: int) -> str:
    """Write the scan as loops; chunks of `steps` steps run side by side.

    Returns:
        name of y (batch, L, E)
    """
    N, E = scan.state, scan.channels
    cut = Cut(scan.length, steps)
    A_t = g.constant(scan.A.T)
    x, dt, B, C = (cut.pad(g, name) for name in (scan.x, scan.dt, scan.B, scan.C))
    dts = _steps_first(g, dt, steps, 1, E)
    dxs = _steps_first(g, g.mul(dt, x), steps, 1, E)
    bs = _steps_first(g, B, steps, N, 1)
    cs = _steps_first(g, C, steps, 1, N)
    total = g.op("ReduceSum", g.reshape(dt, -1, steps, E), g.integers(1))  # (M, 1, E)
    product = decay(g, total, A_t)
    zero = g.mul(product, g.constant(np.zeros(1)))
    (last,) = _over_steps(g, A_t, (N, E), zero, dts, dxs, bs)
    state = carry(g, cut, product, last, N, E)
    _, ys = _over_steps(g, A_t, (N, E), state, dts, dxs, bs, cs)  # (T, M, 1, E)
    y = g.reshape(g.op("Transpose", ys, perm=[1, 0, 2, 3]), -1, cut.length + cut.padding, E)
    return g.add(cut.crop(g, y), g.mul(scan.x, g.constant(scan.D)))


def _steps_first(g: Builder, x: str, steps: int, rows: int, columns: int) -> str:
    """(batch, K T, rows columns) -> (T, batch K, rows, columns)."""
    chunks = g.reshape(x, -1, steps, rows, columns)
    return g.op("Transpose", chunks, perm=[1, 0, 2, 3])


def _over_steps(
    g: Builder, A_t: str, sizes: tuple[int, int], state: str, *sequences: str
) -> list[str]:
    """Run dt, dx, B and perhaps C over axis 0; return the last state and, with C, all outputs."""
    count = len(sequences)
    outputs = 2 if count == 4 else 1
    return g.ops(
        "Scan",
        outputs,
        state,
        *sequences,
        body=_body(Builder(f"{g.prefix}/step{count}", g.dtype), A_t, sizes, count == 4),
        num_scan_inputs=count,
    )


def _body(g: Builder, A_t: str, sizes: tuple[int, int], with_output: bool) -> GraphProto:
    """Return one step: state, dt, dx, B[, C] -> state[, y]; A_t is taken from the outer graph."""
    kind = helper.np_dtype_to_tensor_dtype(g.dtype)
    N, E = sizes
    shapes = {"state": (N, E), "dt": (1, E), "dx": (1, E), "B": (N, 1), "C": (1, N)}
    if not with_output:
        del shapes["C"]
    names = [f"{g.prefix}/{name}" for name in shapes]
    state, dt, dx, b, *c = names
    new = g.add(g.mul(decay(g, dt, A_t), state), g.mul(b, dx))
    results = {g.op("Identity", new): (N, E)}
    results |= {g.op("MatMul", c_t, new): (1, E) for c_t in c}
    return helper.make_graph(
        g.nodes,
        g.prefix,
        [_value(name, kind, shape) for name, shape in zip(names, shapes.values(), strict=True)],
        [_value(name, kind, shape) for name, shape in results.items()],
    )


def _value(name: str, kind: int, shape: tuple[int, int]) -> ValueInfoProto:
    """Describe a tensor whose first axis, the chunks, has any length."""
    return helper.make_tensor_value_info(name, kind, [None, *shape])
