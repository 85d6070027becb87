import json

from edgesr.engine.inspector import engine_layers, read_layers
from edgesr.engine.layers import (
    MOST_CHARACTERS,
    MOST_NAMES,
    Layer,
    count_in,
    count_types,
    names_in,
)
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
    layers = read_layers(text)
    assert count_types(layers) == {
        "CaskConvolution": {"fp16": 1, "fp32": 1},
        "NoOp": {"unknown": 1},
        "Reformat": {"int8": 1},
        "correlation": {"fp16": 1},
        "kgen": {"fp32": 1},
    }
    assert layers[0] == Layer("x", "CaskConvolution", "fp32")


def test_names_of_layers_in_a_type_are_bounded_and_constants_are_none():
    layers = [Layer(f"conv{i}", "CONVOLUTION", "fp32") for i in range(MOST_NAMES + 8)]
    layers.insert(0, Layer("w", "CONSTANT", "fp32"))
    layers.insert(1, Layer("a" * 5000, "Constant", "fp32"))
    layers.insert(2, Layer("half", "CONVOLUTION", "fp16"))
    layers.insert(3, Layer("b" * 5000, "Myelin", "fp32"))
    names = names_in("fp32", layers)
    assert len(names) == MOST_NAMES
    assert names[0] == "b" * (MOST_CHARACTERS - 3) + "..."
    assert names[1:3] == ("conv0", "conv1")
    assert names_in("fp16", layers) == ("half",)
    assert count_in("fp32", count_types(layers)) == MOST_NAMES + 9


def test_names_only_or_no_json_is_no_answer():
    assert read_layers('{"Layers": ["conv1", "conv2"]}') is None
    assert read_layers("not JSON") is None
    assert read_layers("[]") is None


def test_bytes_that_are_no_engine_give_no_layers():
    import pytest

    pytest.importorskip("tensorrt_rtx")
    assert engine_layers(find_stack(["tensorrt_rtx"]), b"not an engine" * 100) is None
