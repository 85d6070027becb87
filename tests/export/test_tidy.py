"""Rewriting a traced graph changes its length and speed, not its values."""

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

from edgesr.export.tidy import LONG_SCAN, tidy, write_softplus
from edgesr.export.torch_graph import trace
from edgesr.models.network import SRNetwork

TILE = 16


class _Causal(SRNetwork):
    """A causal convolution over a row and a softplus, as a Mamba mixer has them."""

    scale = 1

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 3, 4, groups=3, padding=3)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        tokens = lr.flatten(2).transpose(1, 2).cos()
        causal = self.conv(tokens.transpose(1, 2))[..., : tokens.shape[1]].transpose(1, 2)
        softened = torch.nn.functional.softplus(causal.sin() * 40)
        return softened.transpose(1, 2).reshape(lr.shape)


def _kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_causal_convolution_and_softplus() -> None:
    torch.manual_seed(0)
    network = _Causal().eval()
    traced = trace(network, TILE, 1)
    short = tidy(traced)
    assert {"Slice", "Where", "Greater"} <= set(_kinds(traced))
    assert {"Slice", "Where", "Greater"}.isdisjoint(_kinds(short))
    (convolution,) = (node for node in short.graph.node if node.op_type == "Conv")
    pads = next(a.ints for a in convolution.attribute if a.name == "pads")
    assert list(pads) == [0, 3, 0, 0]
    x = torch.randn(1, 3, TILE, TILE)
    with torch.inference_mode():
        expected = network(x).numpy()
    for model in (short, write_softplus(short)):
        onnx.checker.check_model(model)
        (got,) = ReferenceEvaluator(model).run(None, {"lr": x.numpy()})
        np.testing.assert_allclose(got, expected, atol=2e-6, rtol=1e-6)
    assert "Softplus" not in _kinds(write_softplus(short))


def _softplus(values: np.ndarray) -> onnx.ModelProto:
    """A softplus of values of this shape, behind an Identity, so that its own shape is listed."""
    nodes = [
        onnx.helper.make_node("Softplus", ["u"], ["y"]),
        onnx.helper.make_node("Identity", ["y"], ["z"]),
    ]
    u, y, z = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, values.shape)
        for name in "uyz"
    )
    return onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "g", [u], [z], value_info=[y]),
        opset_imports=[onnx.helper.make_opsetid("", 18)],
    )


def test_softplus_never_overflows() -> None:
    values = np.array([-1e30, -100, -1, 0, 16, 79.9, 80.1, 100, 1e30], np.float32)
    (got,) = ReferenceEvaluator(write_softplus(_softplus(values))).run(None, {"u": values})
    expected = np.logaddexp(values.astype(np.float64), 0)
    np.testing.assert_allclose(got, expected, rtol=1.2e-7, atol=1e-7)


def test_softplus_is_exact_to_every_digit_where_a_scan_is_long() -> None:
    values = np.linspace(-30, 90, LONG_SCAN + 1, dtype=np.float32).reshape(1, -1, 1)
    expected = np.logaddexp(values.astype(np.float64), 0)
    errors = []
    for part in (slice(None), slice(1, None)):  # longer than LONG_SCAN, and just as long
        model = write_softplus(_softplus(values[:, part]))
        (got,) = ReferenceEvaluator(model).run(None, {"u": values[:, part]})
        errors.append(np.abs(got / expected[:, part] - 1).max())
    assert errors[0] < 3e-7
    assert errors[1] > 1e-2


class _Halves(SRNetwork):
    """Projections that are cut: into halves, into unequal parts, and one that is used whole too."""

    scale = 1

    def __init__(self) -> None:
        super().__init__()
        self.halves = nn.Linear(3, 8, bias=False)
        self.unequal = nn.Linear(4, 4, bias=False)
        self.whole = nn.Linear(4, 6, bias=False)
        self.end = nn.Linear(3, 3, bias=False)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        x, z = self.halves(lr.flatten(2).transpose(1, 2)).chunk(2, dim=-1)
        a, b = self.unequal(x.sin()).split([1, 3], dim=-1)
        c = self.whole(z.cos())
        d, e = c.chunk(2, dim=-1)
        tokens = self.end(a * b + d * e + c.sum(dim=-1, keepdim=True))
        return tokens.transpose(1, 2).reshape(lr.shape)


def test_a_projection_that_is_cut_into_halves_becomes_two() -> None:
    torch.manual_seed(0)
    network = _Halves().eval()
    traced = trace(network, TILE, 1)
    apart = tidy(traced)
    onnx.checker.check_model(apart, full_check=True)
    assert (_kinds(traced).count("MatMul"), _kinds(traced).count("Split")) == (4, 3)
    assert (_kinds(apart).count("MatMul"), _kinds(apart).count("Split")) == (5, 2)
    x = torch.randn(1, 3, TILE, TILE)
    with torch.inference_mode():
        expected = network(x).numpy()
    (got,) = ReferenceEvaluator(apart).run(None, {"lr": x.numpy()})
    np.testing.assert_allclose(got, expected, atol=2e-6, rtol=1e-6)
