"""The mixer between its outer projections as a function of standard operators, for a path.

The torch network exports it as one node `edgesr::MambaMixer` (edgesr/models/mamba.py has the
meaning, edgesr/scan/path.py the path). The function is its definition in the file: what knows the
node by itself, as a plugin for TensorRT does, uses that; anything else puts the function in place.
"""

from dataclasses import dataclass

import numpy as np
from onnx import FunctionProto, NodeProto, TensorProto, helper

from edgesr.export.engine_levels import scan_states_for_engine
from edgesr.export.graph import GraphBuilder
from edgesr.export.levels import STEPS, scan_states, whole_length
from edgesr.scan.path import ScanPath

DOMAIN, MIXER = "edgesr", "MambaMixer"
INPUTS = ("xz", "conv", "conv_bias", "x_proj", "dt_proj", "dt_bias", "A", "D")
PROJECTED_INPUTS = ("tokens", "in_proj", *INPUTS[1:])
OUTPUT = "y"

SOFTPLUS_BOUND = 80.0  # exp of it is a float32

LONG_SCAN = 4096
"""Steps after which small errors of softplus add up: the student's graph for tiles of 64, of 4096
steps, is 1e-5 from float64, for 128 6e-5, for 256 4e-4. With `_softplus` it is 2e-6."""


def is_mixer(node: NodeProto) -> bool:
    """Tell whether a node is a mixer, named for its function or not yet."""
    return node.domain == DOMAIN and node.op_type.startswith(MIXER)


def is_projected(node: NodeProto) -> bool:
    """Tell whether a mixer multiplies tokens by the matrix of its projection itself."""
    return len(node.input) == len(PROJECTED_INPUTS)


def kind_of(node: NodeProto) -> str:
    """Return a node's operator; of a mixer without what tells its function from others."""
    return MIXER if is_mixer(node) else node.op_type


@dataclass(frozen=True)
class Mixer:
    """What a function is written for; equal mixers share one.

    Attributes:
        path: how its scan walks over what picture.
        channels: E, inner width.
        state: N, size of the state of one channel.
        rank: R, of dt.
        taps: W, width of the convolution.
        half: xz and y are float16; what is between is float32 all the same.
        projected: it makes xz of tokens and a matrix, see `edgesr.export.projection`.
        for_engine: of few layers, see `edgesr.export.engine_levels`.
    """

    path: ScanPath
    channels: int
    state: int
    rank: int
    taps: int
    half: bool
    projected: bool = False
    for_engine: bool = False

    @property
    def function(self) -> str:
        """Return the name of its function, which tells it from others in a file.

        A name, not an `overload` of one name: ONNX Runtime 1.23, the last for Python 3.10, reads
        the overloads of a file and runs the last one for all.
        """
        path, axis = self.path, "columns" if self.path.direction.columns else "rows"
        sizes = f"{path.height}x{path.width}x{self.channels}x{self.state}"
        way = "backward" if path.direction.reverse else "forward"
        return f"{MIXER}_{'projected_' if self.projected else ''}{axis}_{way}_{sizes}"


def write_function(mixer: Mixer, opset: int) -> FunctionProto:
    """Return the function of a mixer; none of its products has more than three axes.

    Args:
        mixer: what to write it for.
        opset: version of the standard operators, 13 or later.
    """
    g = GraphBuilder("mixer", np.dtype(np.float32))
    if mixer.projected:
        x, z = (g.op("MatMul", "tokens", m) for m in g.split("in_proj", 2, mixer.channels, axis=1))
    else:
        xz = g.op("Cast", "xz", to=TensorProto.FLOAT) if mixer.half else "xz"
        x, z = g.split(xz, 2, mixer.channels, axis=2)
    x = _convolve(g, x, mixer)
    dt, B, C, skipped = _project(g, x, mixer)
    y = _scan(g, x, dt, B, C, skipped, mixer)
    y = _to_raster(g, y, mixer)
    gate = _silu(g, z)
    if mixer.half:
        y = g.mul(y, gate)
        g.nodes.append(helper.make_node("Cast", [y], [OUTPUT], "mixer/y", to=TensorProto.FLOAT16))
    else:
        g.nodes.append(helper.make_node("Mul", [y, gate], [OUTPUT], "mixer/y"))
    constants = [
        helper.make_node("Constant", [], [name], name=name, value=tensor)
        for name, tensor in g.constants.items()
    ]
    return helper.make_function(
        DOMAIN,
        mixer.function,
        PROJECTED_INPUTS if mixer.projected else INPUTS,
        [OUTPUT],
        [*constants, *g.nodes],
        [helper.make_opsetid("", opset)],
        ["height", "width", "columns", "reverse"],
    )


def _convolve(g: GraphBuilder, x: str, mixer: Mixer) -> str:
    """Turn raster order into the path's, and convolve causally along it, with SiLU: (M, E).

    For an engine every token is an image, (M, E, 1, 1), which it multiplies by a matrix without
    giving it another shape. The M = batch * steps are made whole for the scan by some behind the
    path, which it reaches last.
    A sequence is an image of one row, for only images have a channels-last kernel in ONNX Runtime.
    """
    path, E, W = mixer.path, mixer.channels, mixer.taps
    if path.direction.columns:
        x = g.reshape(x, -1, path.height, path.width, E)
        x = g.op("Transpose", x, perm=[0, 2, 1, 3])
    x = g.op("Transpose", g.reshape(x, -1, 1, path.length, E), perm=[0, 3, 1, 2])
    if path.direction.reverse:
        order = np.arange(W)[::-1].reshape(1, 1, W)
        taps = g.op("Gather", "conv", g.indices(order), axis=1)
    else:
        taps = g.reshape("conv", E, 1, 1, W)
    more = _steps(mixer) - path.length
    pads = [0, more, 0, W - 1] if path.direction.reverse else [0, W - 1, 0, more]
    x = g.op("Conv", x, taps, "conv_bias", group=E, kernel_shape=[1, W], pads=pads)
    if mixer.for_engine:
        return g.reshape(g.op("Transpose", _silu(g, x), perm=[0, 3, 1, 2]), -1, E, 1, 1)
    return g.reshape(_silu(g, g.op("Transpose", x, perm=[0, 2, 3, 1])), -1, E)


def _steps(mixer: Mixer) -> int:
    """Return the length of the scan, which its levels cut without a rest."""
    return whole_length(mixer.path.length, mixer.for_engine)


def _project(g: GraphBuilder, x: str, mixer: Mixer) -> tuple[str, str, str, str]:
    """Return dt (M, E) after softplus, B and C (M, N), and D x (M, E) or "", of x (M, E).

    For an engine D x comes out of the same product; else it is not known yet. There all are images
    of the scan's chunks, (M / STEPS, STEPS, 1, ...): whatever is computed of them stays in one
    shape, and in one that has no layout but the plain one, from and to which nothing is copied.
    """
    R, N, E = mixer.rank, mixer.state, mixer.channels
    if mixer.for_engine:
        # One product instead of three, whose matrix is computed from constants before it is built.
        narrow, rows = g.ops("Split", 2, "x_proj", g.integers(R, 2 * N), axis=0)
        diagonal = g.mul(g.constant(np.eye(E)), "D")
        matrix = g.concat([g.op("MatMul", "dt_proj", narrow), rows, diagonal], axis=0)
        bias = g.concat(["dt_bias", g.constant(np.zeros(2 * N + E))], axis=0)
        projected = g.op("Conv", x, g.reshape(matrix, -1, E, 1, 1), bias, kernel_shape=[1, 1])
        chunks = g.reshape(projected, -1, STEPS, 1, 2 * (E + N))
        u, B, C, skipped = g.ops("Split", 4, chunks, g.integers(E, N, N, E), axis=3)
    else:
        projected = g.op("Gemm", x, "x_proj", transB=1)
        dt, B, C = g.ops("Split", 3, projected, g.integers(R, N, N), axis=1)
        u = g.op("Gemm", dt, "dt_proj", "dt_bias", transB=1)
        skipped = ""
    if mixer.for_engine and mixer.path.length <= LONG_SCAN:  # beyond, an operator's errors add up
        return _softplus_operator(g, u), B, C, skipped
    return _softplus(g, u, mixer.path.length > LONG_SCAN), B, C, skipped


def _scan(g: GraphBuilder, x: str, dt: str, B: str, C: str, skipped: str, mixer: Mixer) -> str:
    """Return C h + D x of x and dt (M, E), B and C (M, N), in a shape that holds (M, E).

    What it is given has the shapes in which `_project` gives it.
    """
    E, N, length = mixer.channels, mixer.state, _steps(mixer)
    reverse = mixer.path.direction.reverse
    scan = scan_states_for_engine if mixer.for_engine else scan_states
    if N > 1:
        x, dt = (g.reshape(name, -1, 1, E) for name in (x, dt))
    elif mixer.for_engine:
        x = g.reshape(x, -1, STEPS, 1, E)
    u = g.mul(dt, x)
    if N > 1:
        A = g.op("Transpose", "A", perm=[1, 0])
        s = g.mul(dt, A)  # (M, N, E)
        u = g.mul(u, g.reshape(B, -1, N, 1))
        if mixer.for_engine:
            s, u = (g.reshape(name, -1, STEPS, 1, N * E) for name in (s, u))
        states = g.reshape(scan(g, s, u, length, N * E, reverse), -1, N, E)
        y = g.op("MatMul", g.reshape(C, -1, 1, N), states)  # (M, 1, E)
        skipped = skipped and g.reshape(skipped, -1, 1, E)
    elif mixer.for_engine:
        A = g.reshape("A", 1, 1, 1, E)
        y = g.mul(scan(g, g.mul(dt, A), g.mul(u, B), length, E, reverse), C)
    else:
        # On a CPU a product with a vector is faster the longer the vector.
        A = g.op("Tile", g.reshape("A", -1), g.integers(STEPS))
        s = g.mul(g.reshape(dt, -1, STEPS * E), A)
        states = scan(g, s, g.mul(u, B), length, E, reverse)
        y = g.mul(g.reshape(states, -1, E), C)
    return g.add(y, skipped or g.mul(x, "D"))


def _softplus(g: GraphBuilder, u: str, to_every_digit: bool) -> str:
    """Return softplus(u) = max(u, log(1 + exp(min(u, 80)))), which never overflows.

    Beyond 17 softplus(u) is u in float32, so what the bound of 80 cuts off does not show. The
    logarithm's argument w = 1 + e is rounded, so the result is exact to half an ulp of 1: 6e-8.
    To every digit, what was rounded off is added to the logarithm: log(1 + e) = log(w) +
    (e - (w - 1)) / w, to first order, and the difference w - 1 is exact.
    """
    grown = g.op("Exp", g.op("Min", u, g.constant(np.full((), SOFTPLUS_BOUND))))
    one = g.constant(np.ones(()))
    argument = g.add(grown, one)
    logarithm = g.op("Log", argument)
    if to_every_digit:
        rounded_off = g.op("Sub", grown, g.op("Sub", argument, one))
        logarithm = g.add(logarithm, g.op("Div", rounded_off, argument))
    return g.op("Max", u, logarithm)


def _softplus_operator(g: GraphBuilder, u: str) -> str:
    """Return softplus(u) of fewer layers, which overflows nowhere an operator may: beyond 80.

    There and where it is 0 in float32 it is max(u, 0), whatever the bounds make of the operator.
    """
    bounds = (g.constant(np.full((), end)) for end in (-SOFTPLUS_BOUND, SOFTPLUS_BOUND))
    return g.op("Max", u, g.op("Softplus", g.op("Clip", u, *bounds)))


def _silu(g: GraphBuilder, x: str) -> str:
    return g.mul(x, g.op("Sigmoid", x))


def _to_raster(g: GraphBuilder, y: str, mixer: Mixer) -> str:
    """Turn values of the steps (batch * steps, E) into tokens (batch, L, E)."""
    path, E, steps = mixer.path, mixer.channels, _steps(mixer)
    if steps != path.length:
        start = steps - path.length if path.direction.reverse else 0
        y = g.reshape(y, -1, steps, E)
        ends = g.integers(start), g.integers(start + path.length)
        y = g.op("Slice", y, *ends, g.integers(1))
    if path.direction.columns:
        y = g.reshape(y, -1, path.width, path.height, E)
        y = g.op("Transpose", y, perm=[0, 2, 1, 3])
    return g.reshape(y, -1, path.length, E)
