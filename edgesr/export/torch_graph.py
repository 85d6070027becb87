"""From a torch network to ONNX, each mixer one node `edgesr::MambaMixer`."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from onnx import ModelProto

from edgesr.errors import ExportError
from edgesr.export.residual import fold_residuals
from edgesr.models.network import SRNetwork

OPSET = 18  # the exporter's native one, and within what TensorRT 10.3 reads
INPUT, OUTPUT = "lr", "hr"


def trace(network: SRNetwork, tile: int, batch: int | None) -> ModelProto:
    """Export `network` for one tile size.

    Args:
        network: in eval mode, on the CPU.
        tile: side of the input, in pixels.
        batch: tiles a call takes; None: any number.

    Returns:
        A model from `lr` (batch, 3, tile, tile) to `hr` (batch, 3, scale*tile, scale*tile).

    Raises:
        ExportError: torch cannot export the network at this size.
    """
    # A free batch is traced with two tiles: torch takes a size of one for a constant.
    example = torch.rand(2 if batch is None else batch, 3, tile, tile)
    shapes = ({0: torch.export.Dim("batch")},) if batch is None else None
    try:
        with _quiet():
            program = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=shapes,
            )
    except torch.onnx.OnnxExporterError as error:
        cause = str(error.__cause__ or error).strip().splitlines()[0]
        raise ExportError(f"torch cannot export it at tile {tile} ({cause})") from error
    assert program is not None  # it is None only when given a file to write
    model: ModelProto = program.model_proto
    _anonymise(model)
    fold_residuals(model.graph)
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter: it warns of packages it does not need and of its own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _anonymise(model: ModelProto) -> None:
    """Drop the stack traces the exporter puts on every node: paths of this machine, and large."""
    graph = model.graph
    for item in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del item.metadata_props[:]
        item.doc_string = ""
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
        tensor.doc_string = ""
    del model.metadata_props[:]
