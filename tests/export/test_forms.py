"""Every form of the scan equals the reference: in ONNX Runtime and, in float64, by definition."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from edgesr.export.forms import FORMS, Form
from edgesr.export.lower import DOMAIN, SCAN, count_scans, write_scans
from edgesr.scan import selective_scan_reference

LOOPS = {"Scan", "Loop", "If"}


def _inputs(batch: int, length: int, channels: int, state: int, dt_scale: float) -> list:
    rng = np.random.default_rng(length + state)
    return [
        rng.standard_normal((batch, length, channels)),
        rng.random((batch, length, channels)) * dt_scale,
        -np.exp(rng.standard_normal((channels, state))),
        rng.standard_normal((batch, length, state)),
        rng.standard_normal((batch, length, state)),
        rng.standard_normal(channels),
    ]


def _scan_model(inputs: list, dtype: type, free_batch: bool = False) -> onnx.ModelProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    names = ["x", "dt", "A", "B", "C", "D"]
    values = [
        helper.make_tensor_value_info(
            name, kind, ["n" if free_batch else array.shape[0], *array.shape[1:]]
        )
        for name, array in zip(names, inputs, strict=True)
        if name not in "AD"
    ]
    node = helper.make_node(SCAN, names, ["y"], domain=DOMAIN)
    constants = [numpy_helper.from_array(inputs[i].astype(dtype), names[i]) for i in (2, 5)]
    y = helper.make_tensor_value_info("y", kind, [None, *inputs[0].shape[1:]])
    graph = helper.make_graph([node], "scan", values, [y], constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def _feed(inputs: list, dtype: type) -> dict:
    return {
        name: inputs[i].astype(dtype)
        for name, i in zip(("x", "dt", "B", "C"), (0, 1, 3, 4), strict=True)
    }


def _reference(inputs: list) -> np.ndarray:
    return selective_scan_reference(*map(torch.from_numpy, inputs)).numpy()


def _run(model: onnx.ModelProto, feed: dict) -> np.ndarray:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feed)[0]


@pytest.fixture(params=sorted(FORMS))
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.mark.parametrize(
    ("batch", "length", "channels", "state"),
    [(1, 1, 3, 2), (2, 5, 4, 1), (1, 16, 2, 16), (3, 17, 3, 4), (2, 300, 2, 32), (2, 2600, 2, 3)],
)
def test_float64_in_onnx_runtime(
    form: Form, batch: int, length: int, channels: int, state: int
) -> None:
    inputs = _inputs(batch, length, channels, state, 0.3)
    model = write_scans(_scan_model(inputs, np.float64), form)
    np.testing.assert_allclose(
        _run(model, _feed(inputs, np.float64)), _reference(inputs), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("dt_scale", [0.0, 1e-12, 50.0, 1e5])
def test_float64_by_the_definition_of_the_operators(form: Form, dt_scale: float) -> None:
    """Extreme steps: no decay, decays that round to 1, decays that underflow to 0."""
    inputs = _inputs(2, 40, 3, 4, dt_scale)
    model = write_scans(_scan_model(inputs, np.float64), form)
    (y,) = ReferenceEvaluator(model).run(None, _feed(inputs, np.float64))
    np.testing.assert_allclose(y, _reference(inputs), rtol=1e-9, atol=1e-9)


def test_free_batch(form: Form) -> None:
    for batch in (1, 3):
        inputs = _inputs(batch, 70, 3, 4, 0.3)
        model = write_scans(_scan_model(inputs, np.float32, free_batch=True), form)
        y = _run(model, _feed(inputs, np.float32))
        np.testing.assert_allclose(y, _reference(inputs), rtol=1e-4, atol=1e-4)


def test_a_form_for_boards_holds_no_loops(form: Form) -> None:
    inputs = _inputs(1, 64, 2, 2, 0.1)
    model = write_scans(_scan_model(inputs, np.float32), form)
    kinds = {node.op_type for node in model.graph.node}
    assert form.board == kinds.isdisjoint(LOOPS)
    assert count_scans(model) == 0
