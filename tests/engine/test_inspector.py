import json

from edgesr.engine.inspector import count_layers, engine_layers
from edgesr.engine.stack import find_stack


def layer(kind, output):
    return {"Name": "x", "LayerType": kind, "Outputs": [{"Name": "y", **output}]}


def test_counts_both_forms_of_the_inspectors_json():
    """`Format/Datatype` is what TensorRT 8 to 10 print, `Datatype` what newer ones do."""
    text = json.dumps(
        {
            "Layers": [
                layer("CaskConvolution", {"Format/Datatype": "Row major linear FP32"}),
                layer("CaskConvolution", {"Format/Datatype": "Channel major FP16 format where"}),
                layer("correlation", {"Datatype": "Half", "Format": "(NHWC)"}),
                layer("kgen", {"Datatype": "Float", "Format": "(Linear) Row major linear format"}),
                layer("Reformat", {"Format/Datatype": "Thirty-two wide channel Int8 format"}),
                {"Name": "sync", "LayerType": "NoOp", "Outputs": []},
            ]
        }
    )
    assert count_layers(text) == {
        "CaskConvolution": {"fp16": 1, "fp32": 1},
        "NoOp": {"unknown": 1},
        "Reformat": {"int8": 1},
        "correlation": {"fp16": 1},
        "kgen": {"fp32": 1},
    }


def test_names_only_or_no_json_is_no_answer():
    assert count_layers('{"Layers": ["conv1", "conv2"]}') is None
    assert count_layers("not JSON") is None
    assert count_layers("[]") is None


def test_bytes_that_are_no_engine_give_no_layers():
    import pytest

    pytest.importorskip("tensorrt_rtx")
    assert engine_layers(find_stack(["tensorrt_rtx"]), b"not an engine" * 100) is None
