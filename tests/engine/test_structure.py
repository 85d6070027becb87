"""Networks that differ in their weights alone are built with the same timings."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgesr.engine.rewrite import prepare
from edgesr.engine.structure import structure_sha256
from edgesr.weights import shipped

VERSION = "8.5.3.1"


@pytest.fixture(scope="module")
def student():
    return shipped("student", 4, "onnx").read_bytes()


def retrained(data):
    """The same network with other weights, from an edgesr of another version."""
    model = onnx.load_model_from_string(data)
    model.producer_version = "99"
    rng = np.random.default_rng(0)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            other = (values + 0.01 * rng.standard_normal(values.shape)).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(other, tensor.name))
    return model.SerializeToString()


@pytest.mark.parametrize("plugin", [True, False])
def test_other_weights_are_the_same_structure(student, plugin):
    first, second = (prepare(d, VERSION, plugin=plugin) for d in (student, retrained(student)))
    assert first != second
    assert structure_sha256(first) == structure_sha256(second)


def test_everything_else_is_another(student):
    half = shipped("student", 4, "onnx").with_name("student_x4_fp16.onnx").read_bytes()
    files = [
        prepare(student, VERSION, plugin=True),
        prepare(student, VERSION, plugin=False),
        prepare(student, VERSION, plugin=True, batch=2),
        prepare(student, "10.3.0", plugin=False),
        prepare(half, VERSION, plugin=True),
        shipped("espcn", 4, "onnx").read_bytes(),
    ]
    assert len({structure_sha256(data) for data in files}) == len(files)
