"""Which graphs a board can run: operators TensorRT 10.3 reads (JetPack 6.2), and no loops.

Sources: the operator table of onnx-tensorrt (docs/operators.md, TensorRT 8.4) and the additions its
docs/Changelog.md lists up to TensorRT 10.3; https://github.com/onnx/onnx-tensorrt.
"""

from collections.abc import Iterable, Iterator

from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from edgesr.errors import ExportError

STANDARD = ("", "ai.onnx")
"""Names of the domain of standard operators."""

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

    An operator that the file itself defines, by a function of those, is known too.

    Raises:
        ExportError: names the first node or constant it does not know.
    """
    defined = {(function.domain, function.name, function.overload) for function in model.functions}
    for nodes in _bodies(model):
        for node in nodes:
            standard = node.domain in STANDARD and node.op_type in OPERATORS
            if not standard and (node.domain, node.op_type, node.overload) not in defined:
                _refuse(node, "an operator that TensorRT 10.3 does not read")
    for graph in _graphs(model.graph.node, model.graph):
        for tensor in graph.initializer:
            if tensor.data_type not in TYPES:
                kind = TensorProto.DataType.Name(tensor.data_type)
                raise ExportError(f"a constant of type {kind} is in the graph", where=tensor.name)


def check_no_loops(model: ModelProto) -> None:
    """Check that no Loop, Scan or If is in the graph: a board would run them step by step.

    Raises:
        ExportError: names the first one.
    """
    for nodes in (model.graph.node, *(function.node for function in model.functions)):
        for node in nodes:
            if node.op_type in LOOPS:
                _refuse(node, "a loop, which a board runs step by step")


def _refuse(node: NodeProto, why: str) -> None:
    name = node.name or (node.output[0] if node.output else "without a name")
    domain = f"{node.domain}::" if node.domain else ""
    raise ExportError(f"the graph holds {domain}{node.op_type}, {why}", where=f"node {name}")


def _bodies(model: ModelProto) -> Iterator[Iterable[NodeProto]]:
    """Yield the nodes of a model's graph, of its functions, and of the graphs inside nodes."""
    for nodes in (model.graph.node, *(function.node for function in model.functions)):
        yield nodes
        for graph in _graphs(nodes):
            yield graph.node


def _graphs(nodes: Iterable[NodeProto], *first: GraphProto) -> Iterator[GraphProto]:
    """Yield the graphs `first`, and those inside nodes."""
    yield from first
    for node in nodes:
        for attribute in node.attribute:
            for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _graphs(graph.node, graph)
