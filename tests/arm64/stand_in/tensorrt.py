"""A stand-in for JetPack 6.2's TensorRT: it takes the calls of a build, ONNX Runtime computes.

An `engine` is the ONNX file that the parser was given behind a mark of its own. Nothing here tells
how fast a GPU is or how it rounds; it lets `build-engine`, `verify` and `bench --engine` run where
there is none.
"""

import ctypes
import enum
import json
from types import SimpleNamespace

import numpy as np

__version__ = "10.3.0"
MARK = b"stand-in engine\n"
KINDS = {"Conv": "CONVOLUTION", "MatMul": "MATRIX_MULTIPLY", "Gemm": "MATRIX_MULTIPLY"}

BuilderFlag = enum.Enum("BuilderFlag", ["FP16", "INT8", "TF32"])
MemoryPoolType = enum.Enum("MemoryPoolType", ["WORKSPACE", "TACTIC_DRAM"])
NetworkDefinitionCreationFlag = enum.IntEnum(
    "NetworkDefinitionCreationFlag", ["EXPLICIT_BATCH", "STRONGLY_TYPED"], start=0
)
ProfilingVerbosity = enum.Enum("ProfilingVerbosity", ["LAYER_NAMES_ONLY", "DETAILED"])
LayerInformationFormat = enum.Enum("LayerInformationFormat", ["ONELINE", "JSON"])
DataType = enum.Enum("DataType", ["FLOAT", "HALF", "INT8", "INT32", "INT64", "BOOL"])


class ILogger:
    pass


class Logger(ILogger):
    INTERNAL_ERROR, ERROR, WARNING = range(3)


class Config:
    def __init__(self):
        self.flags = {BuilderFlag.TF32}

    def set_memory_pool_limit(self, pool, nbytes):
        assert isinstance(pool, MemoryPoolType)
        assert nbytes > 0

    def set_flag(self, flag):
        self.flags.add(flag)

    def clear_flag(self, flag):
        self.flags.discard(flag)

    def get_flag(self, flag):
        return flag in self.flags


class Network:
    def __init__(self, flags):
        self.flags, self.data = flags, None

    def get_flag(self, flag):
        return bool(self.flags >> flag & 1)

    @property
    def num_inputs(self):
        return len(self.inputs)

    @property
    def num_outputs(self):
        return len(self.outputs)

    @property
    def num_layers(self):
        return len(self.layers)

    def get_input(self, index):
        return self.inputs[index]

    def get_output(self, index):
        return self.outputs[index]

    def get_layer(self, index):
        return self.layers[index]


class Builder:
    def __init__(self, logger):
        self.logger = logger

    def create_network(self, flags):
        return Network(flags)

    def create_builder_config(self):
        return Config()

    def build_serialized_network(self, network, config):
        return MARK + network.data


class OnnxParser:
    num_errors = 0

    def __init__(self, network, logger):
        self.network = network

    def parse(self, data, path):
        import onnx

        model = onnx.shape_inference.infer_shapes(onnx.load_from_string(data))
        values = {value.name: tensor(value) for value in model.graph.value_info}
        self.network.inputs = [tensor(value) for value in model.graph.input]
        self.network.outputs = [tensor(value) for value in model.graph.output]
        values |= {one.name: one for one in (*self.network.inputs, *self.network.outputs)}
        self.network.layers = [layer(node, values) for node in model.graph.node]
        self.network.data = data
        return True


def tensor(value):
    import onnx

    names = {"FLOAT16": "HALF"}
    kind = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
    shape = tuple(side.dim_value for side in value.type.tensor_type.shape.dim)
    return SimpleNamespace(name=value.name, shape=shape, dtype=DataType[names.get(kind, kind)])


def layer(node, values):
    outputs = [values[name] for name in node.output if name in values]
    return SimpleNamespace(
        name=node.name,
        type=SimpleNamespace(name=KINDS.get(node.op_type, node.op_type.upper())),
        num_outputs=len(outputs),
        get_output=outputs.__getitem__,
    )


class Runtime:
    def __init__(self, logger):
        self.logger = logger

    def deserialize_cuda_engine(self, plan):
        return Engine(plan.removeprefix(MARK)) if plan.startswith(MARK) else None


class Engine:
    def __init__(self, data):
        self.data = data

    def create_execution_context(self):
        return ExecutionContext(self.data)

    def create_engine_inspector(self):
        names_only = json.dumps({"Layers": ["layer"]})
        return SimpleNamespace(get_engine_information=lambda kind: names_only)


class ExecutionContext:
    def __init__(self, data):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # its warnings would stand between the board's own lines
        self.session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
        self.addresses = {}

    def set_tensor_address(self, name, address):
        self.addresses[name] = address

    def execute_async_v3(self, stream):
        (source,), (target,) = self.session.get_inputs(), self.session.get_outputs()
        (large,) = self.session.run(None, {source.name: self.memory(source)})
        self.memory(target)[...] = large
        return True

    def memory(self, value):
        """Return the float32 array at the address that a tensor was given."""
        count = int(np.prod(value.shape))
        floats = (ctypes.c_float * count).from_address(self.addresses[value.name])
        return np.frombuffer(floats, np.float32).reshape(value.shape)
