"""Models of one mixer, their weights, and what they must give: the specification in float64."""

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

from edgesr.export.lower import define_mixers
from edgesr.export.mixer import DOMAIN, INPUTS, MIXER
from edgesr.scan.path import ScanPath
from edgesr.scan.reference import selective_scan_reference

TAPS = 4


def weights(channels: int, state: int, rank: int, dt_bias: float) -> list[np.ndarray]:
    """Return the seven weights; dt is about softplus(dt_bias), and differs by token and channel."""
    rng = np.random.default_rng(channels + state)
    return [
        rng.normal(0, 0.4, (channels, TAPS)),
        rng.normal(0, 0.2, channels),
        rng.normal(0, 0.3, (rank + 2 * state, channels)),
        rng.normal(0, 0.5, (channels, rank)),
        dt_bias + rng.normal(0, 1, channels),
        -np.exp(rng.normal(0, 1, (channels, state))),
        rng.normal(0, 1, channels),
    ]


def model(path: ScanPath, given: list[np.ndarray], half: bool = False) -> onnx.ModelProto:
    """Return one mixer with its definition, of any batch."""
    channels = len(given[0])
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    node = helper.make_node(
        MIXER,
        INPUTS,
        ["y"],
        name="mixer",
        domain=DOMAIN,
        height=path.height,
        width=path.width,
        columns=int(path.direction.columns),
        reverse=int(path.direction.reverse),
    )
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "one mixer",
        [value("xz", kind, ["n", path.length, 2 * channels])],
        [value("y", kind, ["n", path.length, channels])],
        [
            numpy_helper.from_array(array.astype(np.float32), name)
            for name, array in zip(INPUTS[1:], given, strict=True)
        ],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(DOMAIN, 1)]
    return define_mixers(helper.make_model(graph, opset_imports=opsets, ir_version=10))


def values(path: ScanPath, channels: int, batch: int = 2) -> np.ndarray:
    """Return an input (batch, L, 2E)."""
    rng = np.random.default_rng(path.length)
    return rng.normal(0, 1, (batch, path.length, 2 * channels)).astype(np.float32)


def run(built: onnx.ModelProto, xz: np.ndarray) -> np.ndarray:
    """Run a model in ONNX Runtime."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(
        built.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"xz": xz})[0]


def expected(
    path: ScanPath,
    given: list[np.ndarray],
    xz: np.ndarray,
    dtype: torch.dtype = torch.float64,
) -> np.ndarray:
    """Return what the mixer gives, token by token along the path, computed in a type."""
    exact = (torch.from_numpy(array.astype(np.float32)).to(dtype) for array in given)
    conv, bias, x_proj, dt_proj, dt_bias, A, D = exact
    channels, state = A.shape
    order = [path.token(step) for step in range(path.length)]
    x, z = torch.from_numpy(xz).to(dtype)[:, order].chunk(2, -1)
    x = F.pad(x.transpose(1, 2), (TAPS - 1, 0))
    x = F.silu(F.conv1d(x, conv[:, None], bias, groups=channels).transpose(1, 2))
    dt, B, C = (x @ x_proj.T).split([dt_proj.shape[1], state, state], -1)
    dt = torch.logaddexp(dt @ dt_proj.T + dt_bias, torch.zeros((), dtype=dtype))
    walked = selective_scan_reference(x, dt, A, B, C, D) * F.silu(z)
    y = torch.empty_like(walked)
    y[:, order] = walked
    return y.numpy()


def largest_error(got: np.ndarray, exact: np.ndarray) -> float:
    """Return the largest error over the largest value."""
    return float(np.abs(got - exact).max() / np.abs(exact).max())
