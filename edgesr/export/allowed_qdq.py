"""Which Q/DQ TensorRT can build: symmetric int8, one scale for a tensor or for a weight's channels.

Source: `QuantDequantLinearHelper` in onnxOpImporters.cpp of onnx-tensorrt for TensorRT 10; earlier
releases read every scale as float32, so a float16 one means TensorRT 10 or later.
https://github.com/onnx/onnx-tensorrt
"""

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgesr.errors import ExportError

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
HALF_SCALES_SINCE = 19  # opset


def check_qdq(model: ModelProto) -> None:
    """Check every QuantizeLinear and DequantizeLinear, and that nothing else reads an int8 value.

    Raises:
        ExportError: names the first node that TensorRT would refuse.
    """
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    int8 = {name for name, tensor in constants.items() if tensor.data_type == TensorProto.INT8}
    for node in model.graph.node:
        if node.op_type in (QUANTIZE, DEQUANTIZE):
            _check_zero_point(node, constants)
            _check_scale(node, constants, opset)
            if node.op_type == QUANTIZE:
                int8.update(node.output)
        elif not int8.isdisjoint(node.input):
            _refuse(node, f"reads an int8 value without {DEQUANTIZE}")


def _check_zero_point(node: NodeProto, constants: Mapping[str, TensorProto]) -> None:
    zero = constants.get(node.input[2]) if len(node.input) > 2 else None
    if zero is None or zero.data_type != TensorProto.INT8:
        _refuse(node, "needs a constant zero point of int8")
    elif numpy_helper.to_array(zero).any():
        _refuse(node, "has a zero point other than 0; TensorRT quantises symmetrically")


def _check_scale(node: NodeProto, constants: Mapping[str, TensorProto], opset: int) -> None:
    if node.input[1] not in constants:
        _refuse(node, "has a scale that is no constant")
    tensor = constants[node.input[1]]
    scale = numpy_helper.to_array(tensor)
    if not (np.isfinite(scale) & (scale > 0)).all():
        _refuse(node, "has a scale that is not positive")
    if tensor.data_type == TensorProto.FLOAT16 and opset < HALF_SCALES_SINCE:
        _refuse(node, f"has a scale of float16, which needs opset {HALF_SCALES_SINCE}")
    if scale.size == 1:
        return
    if node.input[0] not in constants:
        _refuse(node, "has several scales, which only constants may have")
    axes = [helper.get_attribute_value(a) for a in node.attribute if a.name == "axis"]
    shape = constants[node.input[0]].dims
    if scale.size != shape[axes[0] if axes else 1]:
        _refuse(node, f"has {scale.size} scales for a constant of {list(shape)}")


def _refuse(node: NodeProto, why: str) -> None:
    raise ExportError(f"{node.op_type} {why}", where=f"node {node.name or node.output[0]}")
