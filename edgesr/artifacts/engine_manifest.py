"""What stands beside an engine: what it was made of, where, how, and whether it was verified.

`x.engine` has its manifest in `x.engine.json`. An engine is a program for one GPU and one TensorRT:
it is loaded only if the manifest says that it was made for these, and is of this very file.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from edgesr.artifacts.file_set import settle, write_set
from edgesr.artifacts.limits import check_call
from edgesr.artifacts.plugin import Plugin
from edgesr.decode import Amount, Count, FileName, Number, Positive, Scale, Sha256, Text, read_json
from edgesr.errors import EngineError, shell
from edgesr.files import to_json, write_json

FORMAT = "edgesr-engine/1"
TensorRTModule = Annotated[str, Meta(pattern=r"^tensorrt(_rtx)?\Z")]
"""Import name of a TensorRT."""
PLAIN_LAYERS = frozenset(
    [
        "CaskConvolution",
        "CaskDeconvolutionV2",
        "CaskGemmConvolution",
        "CaskGemmDeconvolution",
        "CaskGemmMatrixMultiply",
        "Constant",
        "CudaDepthwiseConvolution",
        "ElementWise",
        "FusedConvActConvolution",
        "NoOp",
        "Padding",
        "PointWiseV2",
        "Reduce",
        "Reformat",
        "Scale",
        "Shuffle",
        "Slice",
    ]
)
"""Layer types of an engine with one output, in whose type all of the layer computes.

Others need not say what they do: a Myelin layer is a whole graph, listed with its first output.
"""


@dataclass(frozen=True)
class Attempt:
    """One try of TensorRT's builder, and how it ended.

    Attributes:
        workspace_mib: scratch memory that tactics could use.
        optimization_level: the builder's own level.
        result: `built`, or why it was not.
    """

    workspace_mib: Count
    optimization_level: Count
    result: Text


@dataclass(frozen=True)
class Verification:
    """How close an engine is to ONNX Runtime on real patches.

    Attributes:
        psnr_db: over all patches together, peak 1.0.
        max_abs_difference: largest difference of one value.
        patches: number of patches.
        worst_patch: name of the patch with the lowest PSNR.
        worst_psnr_db: its PSNR.
        against: what it was compared with.
    """

    psnr_db: Number
    max_abs_difference: Amount
    patches: Count
    worst_patch: Text
    worst_psnr_db: Number
    against: Text


@dataclass(frozen=True)
class EngineManifest:
    """What the manifest beside an engine says of it.

    Attributes:
        network: name in the registry, e.g. `student`.
        scale: output side over input side.
        tile: side of the square input tile.
        batch: tiles a call takes.
        precision: `fp32`, `fp16` or `int8`, what most layers that multiply compute in.
        board: name of the board it was built for.
        power_mode: mode that was set when kernels were timed; None: none or unknown.
        onnx_file: name of the ONNX file, without its folder.
        onnx_sha256: SHA-256 of it.
        weights_sha256: SHA-256 of the weights it was exported from; None: it has none.
        engine_sha256: SHA-256 of the engine.
        tensorrt_module: `tensorrt` or `tensorrt_rtx`.
        tensorrt: its version; an engine loads in no other.
        cuda: version of the CUDA toolkit; None: unknown.
        l4t: release of Jetson Linux; None: not a Jetson.
        compute_capabilities: GPUs it runs on.
        typing: how element types were decided (stack.Typing).
        layers: count of layers by type and precision.
        layers_from: `engine inspector`, or `parsed network` where the engine could not be loaded
            on the building machine; with strong typing both state the same types.
        inputs: name -> shape.
        outputs: name -> shape.
        flags: builder flags that were set.
        attempts: every try, the last one built it.
        skipped_tactics: tactics the builder left out for want of memory.
        timing_cache: `warm`, `cold` or `unsupported`.
        build_s: seconds the builder took, all attempts.
        parse_s: seconds to prepare the ONNX file and to parse it; None: by an edgesr that did not
            record it.
        no_plugin: whether it was asked for without plugins.
        peak_memory_mib: fall of the system's available memory; None: not measured.
        edgesr: version that built it.
        plugin: the library that its scans and norms run in; None: it needs none.
        fp32_layers: of an engine in half precision or int8, the names of the layers that compute in
            float32 (layers.names_in): islands, and where the builder found float32 faster. `layers`
            has their full number.
        verification: result of `edgesr verify`; None: not verified.
        format: name and version of this format.
    """

    network: Text
    scale: Scale
    tile: Positive
    batch: Positive
    precision: Text
    board: Text
    power_mode: Text | None
    onnx_file: FileName
    onnx_sha256: Sha256
    weights_sha256: Sha256 | None
    engine_sha256: Sha256
    tensorrt_module: TensorRTModule
    tensorrt: Text
    cuda: Text | None
    l4t: Text | None
    compute_capabilities: tuple[Text, ...]
    typing: Text
    layers: dict[str, dict[str, Count]]
    layers_from: Text
    inputs: dict[str, tuple[Positive, ...]]
    outputs: dict[str, tuple[Positive, ...]]
    flags: tuple[Text, ...]
    attempts: tuple[Attempt, ...]
    skipped_tactics: Count
    timing_cache: Text
    build_s: Amount
    peak_memory_mib: Count | None
    edgesr: Text
    parse_s: Amount | None = None
    no_plugin: bool = False
    plugin: Plugin | None = None
    fp32_layers: tuple[str, ...] = ()
    verification: Verification | None = None
    format: str = FORMAT

    def __post_init__(self) -> None:
        check_call(self.tile, self.batch)
        large = self.scale * self.tile
        wanted = [(self.batch, 3, self.tile, self.tile)], [(self.batch, 3, large, large)]
        if (list(self.inputs.values()), list(self.outputs.values())) != wanted:
            raise ValueError(
                f"inputs and outputs must be one {wanted[0][0]} and one {wanted[1][0]}, "
                "after tile, batch and scale"
            )

    @staticmethod
    def path_for(engine: Path) -> Path:
        """Return where the manifest of an engine lies."""
        return engine.with_name(engine.name + ".json")

    @classmethod
    def read(cls, engine: Path) -> "EngineManifest":
        """Read the manifest beside `engine`; the engine's own content is not looked at.

        Raises:
            EngineError: engine or manifest is missing or not what it should be.
        """
        again = "edgesr build-engine --list-boards"
        path = cls.path_for(engine)
        try:
            manifest = read_json(path, cls, EngineError, again, FORMAT)
        except FileNotFoundError:
            if not engine.is_file():
                raise EngineError("no such engine", where=engine, fix=again) from None
            raise EngineError(
                f"there is no manifest beside it ({path.name}); engines without one are not loaded",
                where=engine,
                fix=again,
            ) from None
        settle(engine, manifest.engine_sha256)
        if not engine.is_file():
            raise EngineError("no such engine", where=engine, fix=again)
        return manifest

    def write(self, engine: Path) -> None:
        """Write the manifest anew beside an engine that stays, atomically."""
        write_json(self.path_for(engine), asdict(self))

    def write_with(self, engine: Path, content: bytes) -> None:
        """Write an engine and its manifest; both appear, or what stood there stays.

        Args:
            engine: where to write.
            content: the engine; its SHA-256 is `engine_sha256`.

        Raises:
            EdgesrError: they cannot be written.
        """
        write_set(self.path_for(engine), to_json(asdict(self)), {engine: content})

    @property
    def computes_in_half(self) -> bool:
        """Whether a value may overflow: unless the engine is seen to compute in float32 only."""
        seen = self.layers_from == "engine inspector" and self.layers.keys() <= PLAIN_LAYERS
        kinds = {kind for counts in self.layers.values() for kind in counts}
        return self.precision != "fp32" and not (seen and kinds == {"fp32"})

    def rebuild_command(self, engine: Path) -> str:
        """Return the command that builds this engine again, for the board it is used on."""
        onnx = engine.parent / self.onnx_file
        source = onnx if onnx.is_file() else Path(self.onnx_file)
        return (
            f"edgesr build-engine -m {shell(source)} --board {shell(self.board)} "
            f"--precision {shell(self.precision)} --batch {self.batch} "
            f"{'--no-plugin ' if self.no_plugin else ''}-o {shell(engine)}"
        )

    def check(
        self, engine: Path, *, module: str, tensorrt: str, compute_capability: str | None
    ) -> None:
        """Refuse an engine that was not made for this machine; its content is not looked at.

        Args:
            engine: the engine.
            module: TensorRT's import name here.
            tensorrt: its version here.
            compute_capability: of this machine's GPU; None: there is no GPU.

        Raises:
            EngineError: it or its plugin does not fit; unless there is no GPU at all, the fix
                rebuilds both.
        """
        wrong = None
        if (self.tensorrt_module, self.tensorrt) != (module, tensorrt):
            wrong = (
                f"it was built by {self.tensorrt_module} {self.tensorrt}; "
                f"here is {module} {tensorrt}"
            )
        elif compute_capability is None:
            raise EngineError(
                f"there is no GPU here; it runs on the {self.board} it was built for",
                where=engine,
                fix=f"this on the {self.board}, or --model {shell(self.onnx_file)} here",
            )
        elif compute_capability not in self.compute_capabilities:
            wrong = (
                f"it was built for {self.board}, compute capability "
                f"{', '.join(self.compute_capabilities)}; this GPU has {compute_capability}"
            )
        again = self.rebuild_command(engine)
        if wrong:
            raise EngineError(wrong, where=engine, fix=again)
        if self.plugin is not None:
            self.plugin.check(
                tensorrt=tensorrt, compute_capability=compute_capability, where=engine, fix=again
            )

    def check_content(self, engine: Path, engine_sha256: str) -> None:
        """Refuse an engine that is not the file that was built.

        Args:
            engine: the engine.
            engine_sha256: SHA-256 of its content.

        Raises:
            EngineError: its content is another; the fix rebuilds it.
        """
        if engine_sha256 != self.engine_sha256:
            raise EngineError(
                "it is truncated or was changed since it was built (SHA-256 differs)",
                where=engine,
                fix=self.rebuild_command(engine),
            )
