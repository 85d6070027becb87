import dataclasses
from types import SimpleNamespace

import pytest

from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.board import get_board
from edgesr.engine.build import BuildRequest, check_model
from edgesr.engine.layers import count_types
from edgesr.engine.network import allow_fp16_by_flag
from edgesr.engine.stack import Typing, find_stack
from edgesr.errors import EngineError, ModelError

pytest.importorskip("tensorrt_rtx")


@pytest.fixture(scope="module")
def stack():
    return find_stack(["tensorrt_rtx"])


def request_for(path, **options):
    return BuildRequest(path, get_board("rtx"), **options)


def test_the_types_of_an_fp16_file_and_its_island_are_the_networks(stack, small_onnx):
    _, parsed = check_model(request_for(small_onnx(precision="fp16")), stack)
    kinds = {layer.name: (layer.kind, layer.dtype) for layer in parsed.layers}
    assert kinds["body"] == ("CONVOLUTION", "fp16")
    assert kinds["island"] == ("ACTIVATION", "fp32")
    assert parsed.precision == "fp16"
    assert count_types(parsed.layers)["CONVOLUTION"] == {"fp16": 2}
    assert [(t.shape, t.dtype) for t in parsed.inputs] == [((1, 3, 16, 16), "fp32")]
    assert [(t.shape, t.dtype) for t in parsed.outputs] == [((1, 3, 64, 64), "fp32")]


def test_what_multiplies_dequantised_values_is_int8(stack, small_onnx):
    _, parsed = check_model(request_for(small_onnx(precision="int8"), precision="int8"), stack)
    kinds = {layer.name: (layer.kind, layer.dtype) for layer in parsed.layers}
    assert kinds["head"] == ("CONVOLUTION", "int8")
    assert kinds["body"] == ("CONVOLUTION", "fp16")
    assert kinds["island"] == ("ACTIVATION", "fp32")
    assert count_types(parsed.layers)["QUANTIZE"] == {"int8": 1}


def test_int8_is_not_for_a_tensorrt_that_misreads_its_scales(stack, small_onnx):
    older = dataclasses.replace(stack, typing=Typing.WEAK, version="8.6.2")
    with pytest.raises(
        EngineError, match=r"TensorRT 8\.6\.2 takes every scale for float32"
    ) as error:
        check_model(request_for(small_onnx(precision="int8")), older)
    assert error.value.fix == "edgesr export -m small -s 4 --precision fp16"


def test_an_fp32_file_is_fp32(stack, small_onnx):
    _, parsed = check_model(request_for(small_onnx()), stack)
    assert parsed.precision == "fp32"


@pytest.mark.parametrize(
    ("made", "asked"),
    [("fp32", "fp16"), ("fp16", "fp32"), ("fp16", "int8"), ("int8", "fp16"), ("int8", "fp32")],
)
def test_another_precision_than_asked_is_refused_never_silent(stack, small_onnx, made, asked):
    with pytest.raises(EngineError, match=f"{asked} was asked for.*computes in {made}") as error:
        check_model(request_for(small_onnx(precision=made), precision=asked), stack)
    assert f"--precision {asked}" in error.value.fix


def test_an_fp32_graph_whose_manifest_says_fp16_is_refused(stack, small_onnx):
    path = small_onnx()
    text = OnnxManifest.path_for(path).read_text()
    OnnxManifest.path_for(path).write_text(text.replace('"fp32"', '"fp16"'))
    with pytest.raises(EngineError, match="fp16 was asked for, but the graph computes in fp32"):
        check_model(request_for(path), stack)


def test_a_fixed_batch_is_not_another(stack, small_onnx):
    path = small_onnx(batch=2)
    assert check_model(request_for(path), stack)[1].batch == 2
    with pytest.raises(EngineError, match="batches of 2, not 3") as error:
        check_model(request_for(path, batch=3), stack)
    assert "--batch 3" in error.value.fix


def test_an_open_batch_takes_the_one_asked_for(stack, small_onnx):
    path = small_onnx(batch=None)
    assert check_model(request_for(path), stack)[1].inputs[0].shape[0] == 1
    assert check_model(request_for(path, batch=3), stack)[1].outputs[0].shape == (3, 3, 64, 64)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"Dear diary,\nno tensors today.\n", "not an ONNX file"),
        (b"version https://git-lfs.github.com/spec/v1\noid x\n", "Git LFS pointer"),
    ],
)
def test_another_kind_of_file_is_named_as_such(stack, tmp_path, content, message):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as error:
        check_model(request_for(path), stack)
    assert error.value.fix


def test_a_missing_file(stack, tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        check_model(request_for(tmp_path / "model.onnx"), stack)


def test_a_damaged_file_with_a_manifest_of_its_own(stack, small_onnx, onnx_manifest):
    path = small_onnx()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="SHA-256 differs"):
        check_model(request_for(path), stack)
    onnx_manifest(path)
    with pytest.raises(ModelError, match="not an ONNX file"):
        check_model(request_for(path), stack)


def test_a_network_of_other_shapes_than_its_manifest(stack, small_onnx, onnx_manifest):
    path = small_onnx(scale=2)
    onnx_manifest(path, scale=4)
    with pytest.raises(ModelError, match=r"fp32 1x3x32x32; its manifest promises .* 1x3x64x64"):
        check_model(request_for(path), stack)


def test_an_operator_that_tensorrt_has_not_is_named_with_its_node(stack, small_onnx, onnx_manifest):
    import onnx

    path = small_onnx()
    model = onnx.load(path)
    next(node for node in model.graph.node if node.name == "tanh").op_type = "Not"  # of floats
    onnx.save(model, path)
    onnx_manifest(path)
    with pytest.raises(ModelError, match="operator Not, node tanh"):
        check_model(request_for(path), stack)


class OlderLayer:
    """A layer of a weakly typed network, as far as its precision goes: float32, whatever it is."""

    def __init__(self, name, kind, dtype="float32", channels=32):
        self.name, self.type, self.dtype, self.channels = name, kind, dtype, channels
        self.num_outputs = 1
        self.precision = None
        self.output_types = {}

    def get_input(self, index):
        return SimpleNamespace(shape=(1, self.channels, 64, 64))

    def get_output(self, index):
        return SimpleNamespace(dtype=self.dtype)

    def set_output_type(self, index, dtype):
        self.output_types[index] = dtype


def test_an_older_tensorrt_is_allowed_fp16_and_keeps_the_islands(stack, small_onnx):
    """TensorRT 8.6 cannot be installed here; this is what its documentation says it has."""
    trt = SimpleNamespace(
        float32="float32",
        BuilderFlag=SimpleNamespace(FP16="FP16", OBEY_PRECISION_CONSTRAINTS="OBEY"),
        LayerType=SimpleNamespace(CONSTANT="CONSTANT", SHAPE="SHAPE", CONVOLUTION="CONVOLUTION"),
    )
    types = check_model(request_for(small_onnx(precision="fp16")), stack)[1].node_types
    assert types["body"] == "fp16" and types["island"] == "fp32"
    layers = [
        OlderLayer("body", "CONVOLUTION"),
        OlderLayer("island", "ACTIVATION"),
        OlderLayer("island_17", "SHUFFLE"),
        OlderLayer("island_18", "CONSTANT"),
        OlderLayer("island_19", "GATHER", "int32"),
        OlderLayer("w1", "CONSTANT"),
        OlderLayer("luma", "CONVOLUTION", channels=1),
    ]
    network = SimpleNamespace(num_layers=len(layers), get_layer=layers.__getitem__)
    flags = set()
    config = SimpleNamespace(set_flag=flags.add)
    older = dataclasses.replace(stack, module=trt, typing=Typing.WEAK, version="8.6.2")
    allow_fp16_by_flag(older, network, types, config)
    assert flags == {"FP16", "OBEY"}
    precisions = [None, "float32", "float32", None, None, None, "float32"]
    assert [layer.precision for layer in layers] == precisions
    pinned = {0: "float32"}
    assert [layer.output_types for layer in layers] == [{}, pinned, pinned, {}, {}, {}, {}]
    del trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS
    with pytest.raises(EngineError, match="cannot keep FP32 islands"):
        allow_fp16_by_flag(older, network, types, config)
