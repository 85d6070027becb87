"""An INT8 graph by explicit Q/DQ: what carries the multiply-adds in 8 bits, the rest as it was.

Every chosen multiplication reads its input through QuantizeLinear and DequantizeLinear with one
scale, and its weights from int8 through DequantizeLinear with one scale for each output channel.
Zero points are 0, as TensorRT demands. The scale of an input is the largest magnitude met on the
calibration tiles, after its channels were made alike (smooth.py). The network's ends, which read
and write the picture, stay as they are: the two cost more PSNR than the 21 multiplications between
them, and hold an eighth of the multiply-adds (benchmarks/results/precision/int8.md).
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    ValueInfoProto,
    helper,
    shape_inference,
    version_converter,
)

from edgesr.errors import ExportError, shell
from edgesr.export.lower import define_mixers
from edgesr.export.smooth import MIGRATION, smooth
from edgesr.files import temporary_folder
from edgesr.imaging.patches import in_batches

OPSET = 19
"""The first in which the scale of QuantizeLinear may be float16."""

NARROW = 16
"""Fewest channels, in and out, that are worth it: a narrower multiplication reads more values to
quantise them than it saves, and does not fill an int8 tensor core instruction (m16n8k16)."""

KINDS = ("Conv", "MatMul")

METHOD = "MinMax"
"""How ranges are found, a `CalibrationMethod` of ONNX Runtime; chosen by measurement."""

SCHEME = (
    f"symmetric; activations by tensor, largest magnitude, smoothed with migration {MIGRATION}; "
    "weights by output channel"
)


def to_int8(
    model: ModelProto,
    tiles: NDArray[np.float32],
    batch: int | None,
    chosen: tuple[str, ...] = (),
    migration: float | None = MIGRATION,
    method: str = METHOD,
) -> tuple[ModelProto, tuple[str, ...]]:
    """Quantise a finished graph with ONNX Runtime's quantiser.

    Args:
        model: in float32 or float16.
        tiles: (n, 3, tile, tile) RGB in [0, 1], on which the scales are measured.
        batch: tiles the graph takes at once; None: any number.
        chosen: names of the nodes to quantise; none: those of `worth_quantising`.
        migration: of `smooth`; None: the channels are left as they are.
        method: how ranges are found, the name of a `CalibrationMethod` of ONNX Runtime.

    Returns:
        the graph, and the names of the quantised nodes.

    Raises:
        ExportError: nothing in the graph is worth it.
    """
    from onnxruntime.quantization import QDQQuantizer, QuantType
    from onnxruntime.quantization.quant_utils import add_infer_metadata

    chosen = chosen or worth_quantising(model.graph)
    if not chosen:
        raise ExportError(
            f"nothing in {model.graph.name} is worth int8: no convolution or projection inside it "
            f"has {NARROW} channels on both sides",
            fix=f"edgesr export -m {shell(model.graph.name)} --precision fp16",
        )
    newer = define_mixers(version_converter.convert_version(model, OPSET))  # it drops functions
    if migration is None:
        typed = shape_inference.infer_shapes(newer)
    else:
        typed = smooth(newer, chosen, tiles, batch, migration)
    # Without this mark the quantiser infers the shapes again, in a temporary folder that nobody
    # removes after a kill.
    add_infer_metadata(typed)
    quantizer = QDQQuantizer(
        typed,
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QInt8,
        tensors_range=_ranges(typed, tiles, batch, method),
        nodes_to_quantize=list(chosen),
        nodes_to_exclude=[],
        op_types_to_quantize=list(KINDS),
        extra_options={
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            "QuantizeBias": False,  # TensorRT adds biases in floating point
            "OpTypesToExcludeOutputQuantization": list(KINDS),  # no int8 where nothing reads it
            "QDQOpTypePerChannelSupportToAxis": {"MatMul": 1},
        },
    )
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    result: ModelProto = define_mixers(quantizer.model.model)
    del result.graph.value_info[:]  # as in every graph that leaves here
    result.ClearField("metadata_props")
    result.producer_name, result.producer_version = model.producer_name, model.producer_version
    onnx.checker.check_model(result)
    return result, chosen


def worth_quantising(graph: GraphProto) -> tuple[str, ...]:
    """Return the names of the multiplications by constants that int8 is for.

    Those are convolutions and projections that are not narrow and lie inside the network: others
    come before them and after them.
    """
    widths = {tensor.name: min(tensor.dims[:2], default=0) for tensor in graph.initializer}
    inside = multiplications(graph)
    first = {node.name for node in _met(graph.node, graph.input, inside)}
    last = {node.name for node in _met(map(_turned, reversed(graph.node)), graph.output, inside)}
    return tuple(
        name
        for name, node in inside.items()
        if name not in first | last and widths[node.input[1]] >= NARROW
    )


def multiplications(graph: GraphProto) -> dict[str, NodeProto]:
    """Return the convolutions and projections by constant weights, by name."""
    constants = {tensor.name for tensor in graph.initializer}
    return {
        node.name: node
        for node in graph.node
        if node.op_type in KINDS and node.input[1] in constants
    }


def _met(
    nodes: Iterable[NodeProto], start: Iterable[ValueInfoProto], stops: Container[str]
) -> Iterator[NodeProto]:
    """Yield the first node named in `stops` on each way through the graph.

    Args:
        nodes: all nodes, each after those whose outputs it reads.
        start: the values at which the ways begin.
        stops: names of nodes; a way ends at the first of them, which is yielded.
    """
    reached = {value.name for value in start}
    for node in nodes:
        if reached.isdisjoint(node.input):
            continue
        if node.name in stops:
            yield node
        else:
            reached.update(node.output)


def _turned(node: NodeProto) -> NodeProto:
    """Return a node with inputs and outputs exchanged, to walk a graph from its end."""
    return helper.make_node(node.op_type, node.output, node.input, name=node.name)


def _ranges(model: ModelProto, tiles: NDArray[np.float32], batch: int | None, method: str) -> Any:
    """Run the tiles and return ONNX Runtime's record of every range."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, create_calibrator

    name = model.graph.input[0].name

    class Tiles(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches = iter(in_batches(tiles, batch or 1))

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            part = next(self.batches, None)
            return None if part is None else {name: part}

    with temporary_folder() as folder:  # the calibrator works on files
        path = folder / "model.onnx"
        onnx.save(model, path)
        calibrator = create_calibrator(
            path,
            list(KINDS),
            augmented_model_path=str(path.with_name("augmented.onnx")),
            calibrate_method=CalibrationMethod[method],
        )
        calibrator.collect_data(Tiles())
        return calibrator.compute_data()
