"""Which networks the table holds, and the file that runs each: an engine, or an ONNX file.

Every network is measured as a user would run it. Where only weights stand, they are exported first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import ConfigError
from edgesr.files import sha256
from edgesr.weights import FOLDER, shipped_names

SCALE, TILE = 4, 64
RIVALS = ("esr", "esr-fast", "espcn", "fsrcnn")
"""The rows of the paper's Table I besides its own network."""

STUDENT, CONTROL = "student", "bicubic"
NETWORKS = (STUDENT, *RIVALS, "student-paper", "dvmsr", "teacher")
"""All that may be in the table; bicubic runs in every bench by itself."""


@dataclass(frozen=True)
class Runnable:
    """A network with the file that runs it.

    Attributes:
        name: in the registry.
        file: an .onnx file or an .engine, its manifest beside it.
        weights_sha256: of the weights it was made from; None: unknown.
        parameters: trainable values; None: unknown.
        multiply_adds: for one input tile of `TILE`; None: unknown.
        precision: `fp32` or `fp16`.
        steps: training steps by the weights' own metadata; None: unknown.
    """

    name: str
    file: Path
    weights_sha256: str | None
    parameters: int | None
    multiply_adds: int | None
    precision: str
    steps: int | None

    @property
    def backend(self) -> str:
        """What runs it; named, because `auto` may take an engine in the place of an ONNX file."""
        return "tensorrt" if self.file.suffix == ".engine" else "onnxruntime"


def find_runnables(
    names: Sequence[str],
    weights_dir: Path | None,
    work: Path,
    say: Callable[[str], None],
) -> tuple[list[Runnable], dict[str, str]]:
    """Find what runs each network, exporting weights where need be.

    Args:
        names: networks, in the order of the table.
        weights_dir: holds NAME_x4*.engine, NAME_x4.onnx or NAME_x4.safetensors, preferred in this
            order; what it lacks is taken from the package.
        work: folder for exported files.
        say: told in a line what is being exported.

    Returns:
        The networks that can run, and for each of the others why it cannot.

    Raises:
        ConfigError: none can run.
        EdgesrError: a file cannot be used.
    """
    found, left_out = [], {}
    for name in dict.fromkeys(name for name in names if name != CONTROL):
        ready, weights = _files(name, weights_dir)
        if ready is None and weights is not None:
            ready = _export(name, weights, work, say)
        if ready is None:
            left_out[name] = "no weights are shipped, and none are in --weights-dir"
        else:
            found.append(_describe(name, ready, weights))
    if not found:
        raise ConfigError(f"no weights of {', '.join(names)}", fix="--weights-dir FOLDER")
    return found, left_out


def _files(name: str, weights_dir: Path | None) -> tuple[Path | None, Path | None]:
    """Return the file that runs and the weights, None for what there is not."""
    stem = f"{name}_x{SCALE}".replace(":", "-")
    ready = weights = None
    if weights_dir is not None:
        engines = sorted(weights_dir.glob(f"{stem}*.engine"))
        if len(engines) > 1:
            names = ", ".join(path.name for path in engines)
            raise ConfigError(f"several engines of {name}: {names}", where=weights_dir)
        runs = [*engines, weights_dir / f"{stem}.onnx"]
        ready = next((path for path in runs if path.is_file()), None)
        path = weights_dir / f"{stem}.safetensors"
        weights = path if path.is_file() else None
    if ready is None and weights is None and (name, SCALE) in shipped_names():
        onnx, state = FOLDER / f"{stem}.onnx", FOLDER / f"{stem}.safetensors"
        ready = onnx if onnx.is_file() else None
        weights = state if state.is_file() else None
    return ready, weights


def _export(name: str, weights: Path, work: Path, say: Callable[[str], None]) -> Path:
    from edgesr.export.exporter import ExportRequest, export

    work.mkdir(parents=True, exist_ok=True)
    target = work / f"{name}_x{SCALE}.onnx".replace(":", "-")
    if target.is_file():
        parent = OnnxManifest.read(target).parent
        if parent is not None and parent.sha256 == sha256(weights):
            return target
    say(f"export {name}")
    export(ExportRequest(network=name, weights=weights, tile=TILE, scale=SCALE, output=target))
    return target


def _describe(name: str, file: Path, weights: Path | None) -> Runnable:
    steps = _steps(weights)
    if file.suffix == ".engine":
        from edgesr.artifacts.engine_manifest import EngineManifest

        engine = EngineManifest.read(file)
        parameters, multiply_adds = _counts(name)
        return Runnable(
            name, file, engine.weights_sha256, parameters, multiply_adds, engine.precision, steps
        )
    manifest = OnnxManifest.read(file)
    parent = None if manifest.parent is None else manifest.parent.sha256
    multiply_adds = manifest.multiply_adds_per_tile if manifest.tile == TILE else None
    return Runnable(
        name, file, parent, manifest.parameters, multiply_adds, manifest.precision, steps
    )


def _counts(name: str) -> tuple[int | None, int | None]:
    """Return parameters and multiply-adds, shipped or counted; a board may lack torch."""
    onnx = FOLDER / f"{name}_x{SCALE}.onnx"
    if onnx.is_file() and (manifest := OnnxManifest.read(onnx)).tile == TILE:
        return manifest.parameters, manifest.multiply_adds_per_tile
    if find_spec("torch") is None:
        return None, None
    from edgesr.models import get_network
    from edgesr.models.cost import multiply_adds
    from edgesr.models.network import parameter_count

    network = get_network(name)
    return parameter_count(network.module(SCALE)), multiply_adds(network, SCALE, TILE, TILE)


def _steps(weights: Path | None) -> int | None:
    if weights is None or find_spec("torch") is None:
        return None
    from edgesr.models.checkpoint import load_metadata

    steps = load_metadata(weights).get("step", "")
    return int(steps) if steps.isdigit() else None


def control_costs() -> tuple[int, int | None]:
    """Return parameters and multiply-adds of bicubic."""
    return 0, _counts(CONTROL)[1]
