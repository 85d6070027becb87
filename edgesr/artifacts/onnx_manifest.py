"""What stands beside an exported ONNX file: what it is, where it came from and how it was checked.

`student_x4.onnx` has its manifest in `student_x4.json`. A manifest names its file by SHA-256, so an
ONNX file changed behind its back is refused instead of trusted.
"""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from edgesr.artifacts.file_set import settle, write_set
from edgesr.artifacts.limits import MAX_MODEL_BYTES, check_call
from edgesr.artifacts.onnx_file import EXPORT
from edgesr.decode import (
    Amount,
    Count,
    FileName,
    MalformedError,
    Number,
    Positive,
    Scale,
    Sha256,
    Text,
    read_bounded,
    read_json,
)
from edgesr.errors import ModelError, shell
from edgesr.files import to_json, write_json

FORMAT = "edgesr-onnx/1"
PRECISIONS = ("fp32", "fp16", "int8")
Precision = Annotated[str, Meta(pattern=rf"^({'|'.join(PRECISIONS)})\Z")]
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

    file: FileName
    sha256: Sha256


@dataclass(frozen=True)
class Parity:
    """How far the graph is from the torch network, measured when it was exported.

    Attributes:
        max_abs_difference: largest difference of one output value, pictures in [0, 1].
        patches: number of real patches compared.
        against: what the graph was compared with, e.g. `torch float32`.
        psnr_db: over all values compared, peak 1.0; None: written before it was kept.
    """

    max_abs_difference: Amount
    patches: Count
    against: Text
    psnr_db: Number | None = None


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

    nodes: tuple[Text, ...]
    scheme: Text
    calibration: Text
    tiles: Count
    tiles_sha256: Sha256


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

    dataset: Text
    images: Count
    fp32_psnr_y_db: Number
    psnr_y_db: Number
    loss_db: Number


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

    network: Text
    scale: Scale
    precision: Precision
    tile: Positive
    batch: Positive | None
    scan_form: Text | None
    fp32_islands: tuple[Text, ...]
    opset: Count
    parameters: Count
    multiply_adds_per_tile: Count
    parent: Parent | None
    onnx_sha256: Sha256
    parity: Parity
    versions: dict[str, Text]
    quantization: Quantization | None = None
    psnr_loss: tuple[PsnrLoss, ...] = ()
    input_range: tuple[float, float] = INPUT_RANGE
    colour_order: str = COLOUR_ORDER
    layout: str = LAYOUT
    format: str = FORMAT

    def __post_init__(self) -> None:
        check_call(self.tile, 1 if self.batch is None else self.batch)
        convention = (self.input_range, self.colour_order, self.layout)
        if convention != (INPUT_RANGE, COLOUR_ORDER, LAYOUT):
            raise ValueError(
                f"pictures must be {LAYOUT}, {COLOUR_ORDER}, in {list(INPUT_RANGE)}; "
                f"it says {self.layout}, {self.colour_order}, in {list(self.input_range)}"
            )

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
        return cls.load(onnx)[0]

    @classmethod
    def load(cls, onnx: Path) -> "tuple[OnnxManifest, bytes]":
        """Read an ONNX file and the manifest beside it, which describes this very content.

        Returns:
            The manifest, and the content of the ONNX file that its SHA-256 is of.

        Raises:
            ModelError: as for `read`.
        """
        manifest = cls._beside(onnx)
        while True:
            settle(onnx, manifest.onnx_sha256)
            try:
                content = read_bounded(onnx, MAX_MODEL_BYTES)
            except (OSError, MalformedError) as error:
                reason = error.strerror if isinstance(error, OSError) else error
                raise ModelError(
                    f"the model cannot be read ({reason})", where=onnx, fix="edgesr models"
                ) from error
            if hashlib.sha256(content).hexdigest() == manifest.onnx_sha256:
                return manifest, content
            before, manifest = manifest, cls._beside(onnx)
            if manifest.onnx_sha256 == before.onnx_sha256:
                # else the pair was replaced between the two reads
                raise ModelError(
                    f"it is not the file that {cls.path_for(onnx).name} describes "
                    "(SHA-256 differs)",
                    where=onnx,
                    fix=manifest.again(),
                )

    @classmethod
    def _beside(cls, onnx: Path) -> "OnnxManifest":
        path = cls.path_for(onnx)
        try:
            return read_json(path, cls, ModelError, EXPORT, FORMAT)
        except FileNotFoundError:
            if not onnx.is_file():
                fix = f"{EXPORT} -o {shell(onnx)}"
                raise ModelError("no such ONNX file", where=onnx, fix=fix) from None
            raise ModelError(
                f"there is no manifest beside it ({path.name}): edgesr takes only ONNX files that "
                "`edgesr export` wrote, with what it wrote beside them",
                where=onnx,
                fix=f"copy its {shell(path.name)} here, or {EXPORT}  (docs/manifests.md)",
            ) from None

    def again(self, precision: str | None = None) -> str:
        """Return the command that exports this network again, to a file of its own choice.

        Args:
            precision: another one; None: the same.
        """
        return (
            f"edgesr export -m {shell(self.network)} -s {self.scale} "
            f"--precision {shell(precision or self.precision)}"
        )

    def write(self, onnx: Path) -> None:
        """Write the manifest anew beside an ONNX file that stays, atomically."""
        write_json(self.path_for(onnx), asdict(self))

    def write_with(self, onnx: Path, content: bytes) -> None:
        """Write an ONNX file and its manifest; both appear, or what stood there stays.

        Args:
            onnx: where to write.
            content: the ONNX file; its SHA-256 is `onnx_sha256`.

        Raises:
            EdgesrError: they cannot be written.
        """
        write_set(self.path_for(onnx), to_json(asdict(self)), {onnx: content})
