"""From an ONNX file to a TensorRT network, checked against what the file claims to be."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgesr.artifacts.limits import MAX_MODEL_BYTES
from edgesr.artifacts.onnx_file import EXPORT, FIRST_BYTE
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.decode import MalformedError, read_bounded
from edgesr.engine import rewrite
from edgesr.engine.layers import Layer
from edgesr.engine.stack import Messages, Stack, Typing
from edgesr.engine.structure import structure_sha256
from edgesr.engine.weak_types import without_casts
from edgesr.errors import EngineError, MissingError, ModelError, shell
from edgesr.files import utf8_text

PRECISIONS = {"FLOAT": "fp32", "HALF": "fp16"}
LOOP_LAYERS = {"TRIP_LIMIT", "RECURRENCE", "ITERATOR", "LOOP_OUTPUT", "CONDITION"}
ARITHMETIC = {"CONVOLUTION", "DECONVOLUTION", "MATRIX_MULTIPLY", "EINSUM"}
"""Layers that carry the multiply-adds."""

FP16_PACK = 4
"""Channels of the smallest pack in which kernels for FP16 take an image."""

RTX_PARSER = "10.0"
"""The release of TensorRT whose parser the first TensorRT for RTX had at least."""


Side = list[tuple[tuple[int, ...], str]]
"""Shape and element type of each input, or of each output."""


@dataclass(frozen=True)
class EngineTensor:
    """An input or output of the network."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class ParsedNetwork:
    """A TensorRT network and what is known about it.

    Attributes:
        network: TensorRT's INetworkDefinition.
        builder: the builder that owns it.
        messages: what TensorRT logged, filled further by the build.
        batch: tiles a call of the engine will take.
        layers: every layer.
        node_types: what each node of the ONNX file computes in, by name.
        precision: the narrowest type in which the file multiplies: `fp32`, `fp16` or `int8`.
        inputs: the network's inputs.
        outputs: the network's outputs.
        structure_sha256: of what the file is but for the values of its weights.
        parse_s: seconds to prepare the file for this TensorRT's parser and to parse it.
    """

    network: Any
    builder: Any
    messages: Messages
    batch: int
    layers: tuple[Layer, ...]
    node_types: Mapping[str, str]
    precision: str
    inputs: tuple[EngineTensor, ...]
    outputs: tuple[EngineTensor, ...]
    structure_sha256: str
    parse_s: float


def read_onnx(path: Path, again: str = EXPORT) -> bytes:
    """Return the content of an ONNX file.

    Args:
        path: of the file.
        again: what exports the network again, for messages.

    Raises:
        ModelError: no such file, an empty one, or one of another kind.
    """
    try:
        data = read_bounded(path, MAX_MODEL_BYTES)
    except (OSError, MalformedError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelError(f"cannot read it ({reason})", where=path, fix=again) from error
    if not data:
        raise ModelError("the file is empty", where=path, fix=again)
    if data.startswith(b"version https://git-lfs"):
        raise ModelError("this is a Git LFS pointer, not the model", where=path, fix="git lfs pull")
    if not data.startswith(FIRST_BYTE):
        raise ModelError("not an ONNX file", where=path, fix=again)
    return data


def parse(
    stack: Stack, onnx: Path, manifest: OnnxManifest, batch: int | None, *, plugin: bool = False
) -> ParsedNetwork:
    """Parse an ONNX file with TensorRT's own parser and check it against its manifest.

    What this parser cannot read is rewritten first (edgesr/engine/rewrite.py).

    Args:
        stack: TensorRT.
        onnx: the file.
        manifest: what the file claims to be.
        batch: tiles a call shall take; None: as exported, 1 where the file leaves it open.
        plugin: mixers are left to the plugin MambaMixer, which is registered; else they are
            written out in standard operators.

    Raises:
        MissingError: the Python package onnx is not installed.
        ModelError: not ONNX, unsupported, with a loop in it, or not what its manifest says.
        EngineError: the batch is fixed to another number, or TensorRT cannot start.
    """
    started = time.monotonic()
    data = _prepare(stack, onnx, manifest, plugin, batch or 1)
    node_types, precision = rewrite.node_types(data), rewrite.graph_precision(data)
    if stack.typing is Typing.WEAK and not plugin:  # the plugins tell their types by casts
        data = without_casts(data)
    prepare_s = time.monotonic() - started
    logger, messages = stack.logger()
    builder = stack.builder(logger, messages)
    network = stack.empty_network(builder)
    parser = stack.module.OnnxParser(network, logger)
    started = time.monotonic()  # making a builder loads CUDA, which is no part of parsing
    if not parser.parse(data, utf8_text(str(onnx))):
        raise ModelError(
            f"TensorRT {stack.version} does not take it: {_parser_error(parser, messages)}",
            where=onnx,
            fix=manifest.again(),
        )
    parse_s = prepare_s + time.monotonic() - started
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    outputs = [network.get_output(i) for i in range(network.num_outputs)]
    batch = _check_batch(onnx, manifest, inputs, batch)
    parsed = ParsedNetwork(
        network=network,
        builder=builder,
        messages=messages,
        batch=batch,
        layers=tuple(_layers(network, node_types)),
        node_types=node_types,
        precision=precision,
        inputs=tuple(_tensor(tensor) for tensor in inputs),
        outputs=tuple(_tensor(tensor) for tensor in outputs),
        structure_sha256=structure_sha256(data),
        parse_s=parse_s,
    )
    _check_no_loop(parsed, onnx, manifest)
    _check_shapes(parsed, onnx, manifest)
    return parsed


def _prepare(stack: Stack, onnx: Path, manifest: OnnxManifest, plugin: bool, batch: int) -> bytes:
    """Return what the parser is given.

    Raises:
        MissingError: onnx is not installed.
        ModelError: the file cannot be read.
    """
    data = read_onnx(onnx, manifest.again())
    version = RTX_PARSER if stack.name == "tensorrt_rtx" else stack.version
    try:
        return rewrite.prepare(data, version, plugin=plugin, batch=batch)
    except ValueError as error:
        raise ModelError(
            f"TensorRT {stack.version} does not take it: {error}",
            where=onnx,
            fix=manifest.again(),
        ) from error
    except ModuleNotFoundError as error:
        raise MissingError(
            f"building an engine needs the Python package {error.name}",
            fix="pip install 'edgesr[jetson]'",
        ) from error


def allow_fp16_by_flag(
    stack: Stack, network: Any, node_types: Mapping[str, str], config: Any
) -> None:
    """Let a weakly typed builder compute in FP16 what the ONNX file types so, and only that.

    The FP32 islands of the file would otherwise be up to the builder; each layer of theirs is
    pinned. So is a convolution of fewer channels than FP16 packs: TensorRT 8.5.3 fills the pack of
    one channel with what lies in memory, and a batch of tiles comes out infinite (eSR, 32 tiles, on
    an NVIDIA H200). The others may be FP16: where FP32 is faster, the builder takes that.

    Raises:
        EngineError: this TensorRT cannot pin them.
    """
    trt = stack.module
    if stack.typing is not Typing.WEAK:
        return
    config.set_flag(trt.BuilderFlag.FP16)
    if not hasattr(trt.BuilderFlag, "OBEY_PRECISION_CONSTRAINTS"):
        raise EngineError(f"TensorRT {stack.version} cannot keep FP32 islands in an FP16 engine")
    config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)
    fixed = {trt.LayerType.CONSTANT, trt.LayerType.SHAPE}
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        if layer.type == trt.LayerType.CONVOLUTION and layer.get_input(0).shape[1] < FP16_PACK:
            layer.precision = trt.float32
        if node_types.get(rewrite.node_of(layer.name)) != "fp32" or layer.type in fixed:
            continue
        tensors = [layer.get_output(i) for i in range(layer.num_outputs)]
        if all(tensor.dtype == trt.float32 for tensor in tensors):  # not what computes shapes
            layer.precision = trt.float32
            for i in range(layer.num_outputs):
                layer.set_output_type(i, trt.float32)


def _layers(network: Any, node_types: Mapping[str, str]) -> Iterator[Layer]:
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        kind = layer.type.name
        dtype = layer.get_output(0).dtype.name if layer.num_outputs else "FLOAT"
        stated = node_types.get(rewrite.node_of(layer.name))
        said = PRECISIONS.get(dtype, dtype.lower())
        is_float = dtype in PRECISIONS and kind != "CONSTANT"
        is_int8 = stated == "int8"  # of the product, not of what brings a value into shape for it
        if stated is not None and is_float and (not is_int8 or kind in ARITHMETIC):
            said = stated
        yield Layer(layer.name, kind, said)


def _tensor(tensor: Any) -> EngineTensor:
    dtype = tensor.dtype.name
    shape = tuple(int(side) for side in tensor.shape)
    return EngineTensor(tensor.name, shape, PRECISIONS.get(dtype, dtype.lower()))


def _check_batch(onnx: Path, manifest: OnnxManifest, inputs: list[Any], asked: int | None) -> int:
    """Return the batch, which was given a number before the file was parsed if it had none.

    Raises:
        EngineError: the file fixes another number.
    """
    shape = tuple(int(side) for side in inputs[0].shape) if inputs else ()
    fixed = shape[0] if shape else 1
    if asked is not None and asked != fixed:
        raise EngineError(
            f"it was exported for batches of {fixed}, not {asked}",
            where=onnx,
            fix=f"{manifest.again()} --batch {asked} -o {shell(f'{onnx.stem}_b{asked}.onnx')}",
        )
    return fixed


def _check_no_loop(parsed: ParsedNetwork, onnx: Path, manifest: OnnxManifest) -> None:
    """Refuse a graph that TensorRT would run step by step, thousands of times slower."""
    for layer in parsed.layers:
        if layer.kind in LOOP_LAYERS:
            raise ModelError(
                f"layer {layer.name} is part of a loop ({layer.kind}), which an engine runs step "
                "by step",
                where=onnx,
                fix=manifest.again(),
            )


def _check_shapes(parsed: ParsedNetwork, onnx: Path, manifest: OnnxManifest) -> None:
    """Refuse a graph that is not one float32 batch of RGB tiles in, one larger batch out."""
    tile, large = manifest.tile, manifest.tile * manifest.scale
    expected: tuple[Side, Side] = (
        [((parsed.batch, 3, tile, tile), "fp32")],
        [((parsed.batch, 3, large, large), "fp32")],
    )
    found = tuple(
        [(tensor.shape, tensor.dtype) for tensor in side]
        for side in (parsed.inputs, parsed.outputs)
    )
    if found != expected:
        raise ModelError(
            f"the graph maps {_text(found[0])} to {_text(found[1])}; its manifest promises "
            f"{_text(expected[0])} to {_text(expected[1])}",
            where=onnx,
            fix=manifest.again(),
        )


def _text(side: Side) -> str:
    return ", ".join(f"{dtype} {'x'.join(map(str, shape))}" for shape, dtype in side) or "nothing"


def _parser_error(parser: Any, messages: Messages) -> str:
    if not parser.num_errors:
        return messages.last_error()
    error = parser.get_error(0)
    named = [
        f"{what} {getattr(error, method)()}"
        for what, method in (("operator", "node_operator"), ("node", "node_name"))
        if hasattr(error, method) and getattr(error, method)()
    ]
    return f"{error.desc()} ({', '.join(named)})" if named else str(error.desc())
