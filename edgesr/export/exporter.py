"""From weights to an ONNX file with its manifest: trace, define mixers, check, keep."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from onnx import ModelProto

from edgesr.artifacts.file_set import check_folder
from edgesr.artifacts.home import exports
from edgesr.artifacts.limits import check_call
from edgesr.artifacts.onnx_file import check_content
from edgesr.artifacts.onnx_manifest import FORMAT, PRECISIONS, OnnxManifest, Parent, Quantization
from edgesr.decode import has_format
from edgesr.errors import Argument, ConfigError, ExportError, ModelError
from edgesr.export.allowed import check_no_loops, check_operators
from edgesr.export.allowed_qdq import check_qdq
from edgesr.export.calibration import calibration_for
from edgesr.export.fp16 import to_fp16
from edgesr.export.int8 import SCHEME, to_int8
from edgesr.export.lower import count_mixers, define_mixers
from edgesr.export.parity import check_parity
from edgesr.export.projection import take_in_projections
from edgesr.export.ranges import too_large_for_half
from edgesr.export.torch_graph import trace
from edgesr.files import make_folder, sha256
from edgesr.models import get_network
from edgesr.models.checkpoint import load_network
from edgesr.models.cost import multiply_adds
from edgesr.models.network import SRNetwork, parameter_count
from edgesr.version import __version__
from edgesr.weights import shipped

SCAN_FORM = "compact"
"""Name of how the function of a mixer writes the scan, see edgesr/export/levels.py."""

MIN_TILE = 16
"""Smallest side of a tile, in pixels: below it tiles are nearly all overlap."""


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        network: name in the registry.
        weights: checkpoint, None for the shipped one.
        precision: `fp32`, `fp16`, or `int8` (what is not quantised computes as in fp16).
        tile: side of the input tile, in pixels.
        batch: tiles a call takes; None: any number.
        scale: output side over input side.
        output: the .onnx file to write; None: see `path`.
        calibrate: folder of photos for the ranges of int8 beside the bundled ones.

    Raises:
        ConfigError: a value that cannot be.
    """

    network: str = "student"
    weights: Path | None = None
    precision: str = "fp32"
    tile: int = 64
    batch: int | None = None
    scale: int = 4
    output: Path | None = None
    calibrate: Path | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            choices = ", ".join(PRECISIONS)
            raise ConfigError(
                f"there are {choices}; not '{self.precision}'", where=Argument("precision")
            )
        if self.calibrate is not None and self.precision != "int8":
            raise ConfigError(
                f"{self.precision} has no ranges to calibrate",
                where=Argument("calibrate"),
                fix=Argument("precision", "int8"),
            )
        if self.tile < MIN_TILE:
            raise ConfigError(
                f"a tile of {self.tile} pixels is too small; the least is {MIN_TILE}",
                where=Argument("tile"),
            )
        if self.batch is not None and self.batch < 1:
            raise ConfigError(f"a batch of {self.batch} tiles cannot be", where=Argument("batch"))
        try:
            check_call(self.tile, self.batch or 1)
        except ValueError as error:
            raise ConfigError(str(error), where=Argument("tile")) from error

    @property
    def path(self) -> Path:
        """The file to write: `output`, or NAME_xSCALE[_PRECISION].onnx in the person's exports."""
        if self.output is not None:
            return self.output
        suffix = "" if self.precision == "fp32" else f"_{self.precision}"
        name = f"{self.network}_x{self.scale}{suffix}.onnx".replace(":", "-")
        return exports() / name


@dataclass(frozen=True)
class FinishedGraph:
    """A finished graph.

    Attributes:
        model: holds standard operators, and mixers that it defines by those.
        form: of its scans; None: it has none.
        islands: what is kept in float32 in an fp16 or int8 graph, as `to_fp16` returns it.
        quantization: of an int8 graph.
    """

    model: ModelProto
    form: str | None
    islands: tuple[str, ...]
    quantization: Quantization | None = None


def export(request: ExportRequest) -> OnnxManifest:
    """Export one network; writes the ONNX file and the manifest beside it, both or neither.

    Raises:
        ConfigError: unknown network or scale, or a file that cannot be written there.
        ModelError: no weights were given and none are shipped.
        WeightsError: the weights cannot be read or belong to another network.
        DataError: the folder of photos for calibration is missing or empty.
        ImageError: one of its photos cannot be read.
        ExportError: the graph fails a check.
    """
    path = request.path
    _check_names(path)
    get_network(request.network)  # before a folder is made of what is no name
    if request.output is None:
        make_folder(path.parent)
    check_folder(path)
    network = load_network(request.network, request.scale, request.weights)
    graph = build_graph(network, request)
    check_operators(graph.model)
    check_qdq(graph.model)
    check_no_loops(graph.model)
    parity = check_parity(graph.model, network, request.tile, request.batch, request.precision)
    content = graph.model.SerializeToString()
    _check_opens(content, path)
    manifest = OnnxManifest(
        network=request.network,
        scale=request.scale,
        precision=request.precision,
        tile=request.tile,
        batch=request.batch,
        scan_form=graph.form,
        fp32_islands=graph.islands,
        opset=graph.model.opset_import[0].version,
        parameters=parameter_count(network),
        multiply_adds_per_tile=multiply_adds(
            get_network(request.network), request.scale, request.tile, request.tile
        ),
        parent=_parent(request, network),
        onnx_sha256=hashlib.sha256(content).hexdigest(),
        parity=parity,
        versions={
            "edgesr": __version__,
            **{name: version(name) for name in ("torch", "onnx", "onnxruntime")},
        },
        quantization=graph.quantization,
    )
    manifest.write_with(path, content)
    return manifest


def _check_opens(content: bytes, path: Path) -> None:
    """Refuse to write what no command here would open.

    Raises:
        ExportError: the content breaks a bound that a file of strangers is held to.
    """
    try:
        check_content(content, path)
    except ModelError as error:
        raise ExportError(f"no command would open it: {error.what}", where=path) from error


def build_graph(network: SRNetwork, request: ExportRequest) -> FinishedGraph:
    """Trace `network` and finish its graph: precision, mixers defined, names."""
    int8 = request.precision == "int8"
    photos = calibration_for(request.calibrate, request.tile) if int8 else None  # quick to fail
    model = define_mixers(trace(network, request.tile, request.batch))
    islands: tuple[str, ...] = ()
    form = SCAN_FORM if count_mixers(model) else None
    if request.precision != "fp32":
        model, islands = to_fp16(model, too_large_for_half(model, request.tile, request.batch))
        model = define_mixers(model)
    else:
        model = take_in_projections(model)
    del model.graph.value_info[:]  # shapes of nodes that are gone
    model.graph.name = request.network
    model.producer_name, model.producer_version = "edgesr", __version__
    if photos is None:
        return FinishedGraph(model, form, islands)
    model, nodes = to_int8(model, photos.tiles, request.batch)
    digest = hashlib.sha256(photos.tiles.tobytes()).hexdigest()
    return FinishedGraph(
        model, form, islands, Quantization(nodes, SCHEME, photos.source, len(photos.tiles), digest)
    )


def _parent(request: ExportRequest, network: SRNetwork) -> Parent | None:
    if request.weights is None and not network.state_dict():
        return None
    path = request.weights or shipped(request.network, request.scale, "safetensors")
    return Parent(path.name, sha256(path))


def _check_names(path: Path) -> None:
    """Refuse a suffix no tool would know, and a manifest that would replace another file."""
    if path.suffix != ".onnx":
        raise ConfigError("the output must end in .onnx", where=path, fix="-o FILE.onnx")
    beside = OnnxManifest.path_for(path)
    if beside.exists() and not has_format(beside, FORMAT):
        raise ConfigError(
            "this file is no manifest of edgesr and would be replaced by one", where=beside
        )
