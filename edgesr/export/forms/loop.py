"""The scan as one ONNX `Scan` over segments of the sequence: its working set fits in a cache."""

import numpy as np
from onnx import GraphProto, ValueInfoProto, helper

from edgesr.export.forms.chunks import Cut, ScanNode, crop, pad
from edgesr.export.forms.unrolled import run_chunks
from edgesr.export.graph import Builder

CHUNKS = 64
"""Chunks in a segment: more fill the cache, fewer leave little work for a node."""


def loop(g: Builder, scan: ScanNode, steps: int) -> str:
    """Write the scan as a loop; in a segment chunks of `steps` steps run side by side.

    Returns:
        name of y (batch, L, E)
    """
    N, E = scan.sizes
    segment = Cut(min(scan.length, CHUNKS * steps), steps)
    count = -(-scan.length // segment.padded)
    padded = count * segment.padded
    A_t = g.constant(scan.A.T)
    sequences = []
    for name, width in ((scan.x, E), (scan.dt, E), (scan.B, N), (scan.C, N)):
        filled = pad(g, name, scan.length, padded)
        segments = g.reshape(filled, -1, count, segment.padded, width)
        sequences.append(g.op("Transpose", segments, perm=[1, 0, 2, 3]))
    none = g.op("Slice", scan.dt, g.integers(0), g.integers(1), g.integers(1))  # (batch, 1, E)
    initial = g.mul(none, g.constant(np.zeros((N, E))))
    _, ys = g.ops(
        "Scan",
        2,
        initial,
        *sequences,
        body=_body(Builder(f"{g.prefix}/segment", g.dtype), A_t, segment, scan.sizes),
        num_scan_inputs=len(sequences),
    )
    y = g.reshape(g.op("Transpose", ys, perm=[1, 0, 2, 3]), -1, padded, E)
    return g.add(crop(g, y, scan.length, padded), g.mul(scan.x, g.constant(scan.D)))


def _body(g: Builder, A_t: str, segment: Cut, sizes: tuple[int, int]) -> GraphProto:
    """Return one segment: state, x, dt, B, C -> state, y; A_t is taken from the outer graph."""
    kind = helper.np_dtype_to_tensor_dtype(g.dtype)
    N, E = sizes
    wide, narrow = (segment.padded, E), (segment.padded, N)
    shapes = {"state": (N, E), "x": wide, "dt": wide, "B": narrow, "C": narrow}
    names = [f"{g.prefix}/{name}" for name in shapes]
    state, *sequences = names
    y, lasts = run_chunks(g, segment, A_t, sequences, sizes, state)
    chunks = g.reshape(lasts, -1, segment.inner * segment.outer, N, E)
    end = segment.inner * segment.outer
    last = g.op("Slice", chunks, g.integers(end - 1), g.integers(end), g.integers(1))
    results = {g.reshape(last, -1, N, E): (N, E), y: wide}
    return helper.make_graph(
        g.nodes,
        g.prefix,
        [_value(name, kind, shape) for name, shape in zip(names, shapes.values(), strict=True)],
        [_value(name, kind, shape) for name, shape in results.items()],
        list(g.constants.values()),
    )


def _value(name: str, kind: int, shape: tuple[int, int]) -> ValueInfoProto:
    """Describe a tensor whose first axis, the batch, has any length."""
    return helper.make_tensor_value_info(name, kind, [None, *shape])
