"""Which graphs a board can run: operators TensorRT 10.3 reads (JetPack 6.2), and no loops.

Sources: the operator table of onnx-tensorrt (docs/operators.md, TensorRT 8.4) and the additions its
docs/Changelog.md lists up to TensorRT 10.3; https://github.com/onnx/onnx-tensorrt.
"""

from collections.abc import Iterator

from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from edgesr.errors import ExportError

LOOPS = frozenset({"Loop", "Scan", "If"})

OPERATORS = frozenset(
    {
        "Abs",
        "Acos",
        "Acosh",
        "Add",
        "And",
        "ArgMax",
        "ArgMin",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "AveragePool",
        "BatchNormalization",
        "Cast",
        "Ceil",
        "Celu",
        "Clip",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Conv",
        "ConvTranspose",
        "Cos",
        "Cosh",
        "CumSum",
        "DeformConv",
        "DepthToSpace",
        "DequantizeLinear",
        "Div",
        "Dropout",
        "Einsum",
        "Elu",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "EyeLike",
        "Flatten",
        "Floor",
        "Gather",
        "GatherElements",
        "GatherND",
        "Gemm",
        "GlobalAveragePool",
        "GlobalLpPool",
        "GlobalMaxPool",
        "Greater",
        "GreaterOrEqual",
        "GridSample",
        "GroupNormalization",
        "GRU",
        "HardSigmoid",
        "Hardmax",
        "Identity",
        "If",
        "InstanceNormalization",
        "IsInf",
        "IsNaN",
        "LayerNormalization",
        "LeakyRelu",
        "Less",
        "LessOrEqual",
        "Log",
        "LogSoftmax",
        "Loop",
        "LRN",
        "LSTM",
        "LpNormalization",
        "LpPool",
        "MatMul",
        "Max",
        "MaxPool",
        "Mean",
        "MeanVarianceNormalization",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "NonMaxSuppression",
        "NonZero",
        "Not",
        "Or",
        "Pad",
        "Pow",
        "PRelu",
        "QuantizeLinear",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
        "Range",
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
        "Relu",
        "Reshape",
        "Resize",
        "ReverseSequence",
        "RNN",
        "RoiAlign",
        "Round",
        "Scan",
        "ScatterElements",
        "ScatterND",
        "Selu",
        "Shape",
        "Shrink",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Size",
        "Slice",
        "Softmax",
        "Softplus",
        "Softsign",
        "SpaceToDepth",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Sum",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "Tile",
        "TopK",
        "Transpose",
        "Trilu",
        "Unsqueeze",
        "Where",
        "Xor",
    }
)

TYPES = frozenset(
    {
        TensorProto.FLOAT,
        TensorProto.FLOAT16,
        TensorProto.INT8,
        TensorProto.INT32,
        TensorProto.INT64,
        TensorProto.BOOL,
    }
)


def check_operators(model: ModelProto) -> None:
    """Check that TensorRT 10.3 knows every operator and every type of constant.

    Raises:
        ExportError: names the first node or constant it does not know.
    """
    for graph in _graphs(model.graph):
        for node in graph.node:
            if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
                _refuse(node, "an operator that TensorRT 10.3 does not read")
        for tensor in graph.initializer:
            if tensor.data_type not in TYPES:
                kind = TensorProto.DataType.Name(tensor.data_type)
                raise ExportError(f"a constant of type {kind} is in the graph", where=tensor.name)


def check_no_loops(model: ModelProto) -> None:
    """Check that no Loop, Scan or If is in the graph: a board would run them step by step.

    Raises:
        ExportError: names the first one.
    """
    for node in model.graph.node:
        if node.op_type in LOOPS:
            _refuse(node, "a loop, which a board runs step by step")


def _refuse(node: NodeProto, why: str) -> None:
    name = node.name or (node.output[0] if node.output else "without a name")
    domain = f"{node.domain}::" if node.domain else ""
    raise ExportError(f"the graph holds {domain}{node.op_type}, {why}", where=f"node {name}")


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """Yield a graph and those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)
