"""What stands beside an exported ONNX file: what it is, where it came from and how it was checked.

`student_x4.onnx` has its manifest in `student_x4.json`. A manifest names its file by SHA-256, so an
ONNX file changed behind its back is refused instead of trusted.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgesr.errors import ModelError, shell
from edgesr.files import sha256, write_json

FORMAT = "edgesr-onnx/1"
PRECISIONS = ("fp32", "fp16", "int8")
INPUT_RANGE = (0.0, 1.0)
COLOUR_ORDER = "RGB"
LAYOUT = "NCHW"


@dataclass(frozen=True)
class Parent:
    """The weights an ONNX file was made from.

    Attributes:
        file: name of the weights file, without its folder.
        sha256: of its content.
    """

    file: str
    sha256: str


@dataclass(frozen=True)
class Parity:
    """How far the graph is from the torch network, measured when it was exported.

    Attributes:
        max_abs_difference: largest difference of one output value, pictures in [0, 1].
        patches: number of real patches compared.
        against: what the graph was compared with, e.g. `torch float32`.
        psnr_db: over all values compared, peak 1.0; None: written before it was kept.
    """

    max_abs_difference: float
    patches: int
    against: str
    psnr_db: float | None = None


@dataclass(frozen=True)
class Quantization:
    """How an `int8` graph was quantised.

    Attributes:
        nodes: names of the convolutions and projections that multiply in int8.
        scheme: how values map to int8, in words.
        calibration: on which pictures the ranges of activations were measured, in words.
        tiles: how many tiles these were.
        tiles_sha256: of their values, to tell whether two files were calibrated alike.
    """

    nodes: tuple[str, ...]
    scheme: str
    calibration: str
    tiles: int
    tiles_sha256: str


@dataclass(frozen=True)
class PsnrLoss:
    """What a precision costs on a benchmark set, in ONNX Runtime.

    Attributes:
        dataset: name of the set.
        images: number of its pictures.
        fp32_psnr_y_db: mean PSNR of Y with the fp32 graph of the same weights.
        psnr_y_db: the same with this graph.
        loss_db: the first minus the second.
    """

    dataset: str
    images: int
    fp32_psnr_y_db: float
    psnr_y_db: float
    loss_db: float


@dataclass(frozen=True)
class OnnxManifest:
    """One exported graph; input and output are float32 NCHW RGB in [0, 1].

    Attributes:
        network: name in the registry, e.g. `student`.
        scale: output side over input side.
        precision: `fp32`, `fp16` or `int8`: the type in which most multiply-adds are done.
        tile: side of the square input tile, in pixels.
        batch: tiles a call takes; None: any number.
        scan_form: how the selective scan is written (edgesr/export/levels.py); None: no scan in it.
        fp32_islands: kinds of operations kept in float32 in an `fp16` or `int8` graph, and single
            nodes, as `Conv NAME`, whose values are too large for float16.
        opset: version of the ONNX operator set.
        parameters: trainable values of the network.
        multiply_adds_per_tile: multiply-accumulates for one tile.
        parent: the weights, None for a network that has none.
        onnx_sha256: SHA-256 of the ONNX file.
        parity: the check made at export.
        versions: package name -> version, of what wrote the file.
        quantization: of an `int8` graph; None: it is not quantised.
        psnr_loss: on the benchmark sets it was measured on; none: on none.
        input_range: lowest and highest input value.
        colour_order: order of the three channels.
        layout: order of the four axes.
        format: name and version of this format.
    """

    network: str
    scale: int
    precision: str
    tile: int
    batch: int | None
    scan_form: str | None
    fp32_islands: tuple[str, ...]
    opset: int
    parameters: int
    multiply_adds_per_tile: int
    parent: Parent | None
    onnx_sha256: str
    parity: Parity
    versions: dict[str, str]
    quantization: Quantization | None = None
    psnr_loss: tuple[PsnrLoss, ...] = ()
    input_range: tuple[float, float] = INPUT_RANGE
    colour_order: str = COLOUR_ORDER
    layout: str = LAYOUT
    format: str = FORMAT

    @staticmethod
    def path_for(onnx: Path) -> Path:
        """Return where the manifest of an ONNX file lies."""
        return onnx.with_suffix(".json")

    @classmethod
    def read(cls, onnx: Path) -> "OnnxManifest":
        """Read the manifest beside `onnx` and check that it describes this very file.

        Raises:
            ModelError: the ONNX file or the manifest is missing, is not what it should be, or the
                two do not belong together.
        """
        if not onnx.is_file():
            raise ModelError("no such ONNX file", where=onnx, fix=f"edgesr export -o {shell(onnx)}")
        path = cls.path_for(onnx)
        again = f"edgesr export -o {shell(onnx)}"
        try:
            fields = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise ModelError(
                f"there is no manifest beside it ({path.name})", where=onnx, fix=again
            ) from None
        except (ValueError, OSError) as error:
            raise ModelError("the manifest cannot be read", where=path, fix=again) from error
        manifest = cls._from_json(fields, path, again)
        if sha256(onnx) != manifest.onnx_sha256:
            raise ModelError(
                f"it is not the file that {path.name} describes (SHA-256 differs)",
                where=onnx,
                fix=again,
            )
        return manifest

    @classmethod
    def _from_json(cls, fields: Any, path: Path, again: str) -> "OnnxManifest":
        if not isinstance(fields, dict) or fields.get("format") != FORMAT:
            raise ModelError(f"not a manifest of format {FORMAT}", where=path, fix=again)
        try:
            parent = fields.pop("parent")
            quantization = fields.pop("quantization", None)
            manifest = cls(
                parent=None if parent is None else Parent(**parent),
                quantization=None if quantization is None else _quantization(quantization),
                psnr_loss=tuple(PsnrLoss(**loss) for loss in fields.pop("psnr_loss", ())),
                parity=Parity(**fields.pop("parity")),
                fp32_islands=tuple(fields.pop("fp32_islands")),
                input_range=tuple(fields.pop("input_range")),
                **fields,
            )
        except (KeyError, TypeError) as error:
            raise ModelError(
                f"the manifest is incomplete ({error})", where=path, fix=again
            ) from error
        manifest._check(path, again)
        return manifest

    def _check(self, path: Path, again: str) -> None:
        sizes = (self.scale, self.tile, 1 if self.batch is None else self.batch)
        for value in sizes:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ModelError(
                    "scale, tile and batch must be whole numbers of at least 1",
                    where=path,
                    fix=again,
                )
        convention = (self.input_range, self.colour_order, self.layout)
        if convention != (INPUT_RANGE, COLOUR_ORDER, LAYOUT):
            raise ModelError(
                f"pictures must be {LAYOUT}, {COLOUR_ORDER}, in {list(INPUT_RANGE)}; "
                f"it says {self.layout}, {self.colour_order}, in {list(self.input_range)}",
                where=path,
                fix=again,
            )

    def write(self, onnx: Path) -> None:
        """Write the manifest beside `onnx`, atomically."""
        write_json(self.path_for(onnx), asdict(self))


def _quantization(fields: dict[str, Any]) -> Quantization:
    return Quantization(nodes=tuple(fields.pop("nodes")), **fields)
