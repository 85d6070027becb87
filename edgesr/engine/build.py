"""Build an engine: parse, configure, build within the board's memory, describe, write."""

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.file_set import check_folder
from edgesr.artifacts.home import engines
from edgesr.artifacts.onnx_file import check_content
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.board import Board
from edgesr.boards.device import Device
from edgesr.engine import network as net
from edgesr.engine.attempts import build_within_memory, is_out_of_memory
from edgesr.engine.builder import EngineBuilder
from edgesr.engine.inspector import engine_layers
from edgesr.engine.layers import count_types, names_in
from edgesr.engine.memory import PeakMemory
from edgesr.engine.plugin_build import scan_plugin
from edgesr.engine.progress import OnStep
from edgesr.engine.stack import Stack, Typing, find_stack
from edgesr.engine.timing_cache import TimingCache
from edgesr.errors import Argument, EngineError, shell
from edgesr.version import __version__

MIB = 1 << 20
FREE_DISK_MIB = 256
"""Engines take some 20 MB; one of the student in int8, for three GPUs, took 146."""


@dataclass(frozen=True)
class BuildRequest:
    """Which engine to build, and for which board.

    Attributes:
        onnx: the exported network.
        board: what to build for.
        precision: `fp32`, `fp16` or `int8`; None: whatever the ONNX file computes in.
        batch: tiles a call takes; None: as exported.
        power_mode: option name of the mode whose clocks the kernels are timed at; None: as set.
        plugin: run scans in the plugin where this machine can compile it.
    """

    onnx: Path
    board: Board
    precision: str | None = None
    batch: int | None = None
    power_mode: str | None = None
    plugin: bool = True

    def command(self, board: str | None = None) -> str:
        """Return the command line that asks for the same; `board`: on another board."""
        parts = ["edgesr build-engine -m", shell(self.onnx), "--board", board or self.board.family]
        for option, value in (
            ("--precision", self.precision),
            ("--batch", self.batch),
            ("--power-mode", self.power_mode),
        ):
            parts += [] if value is None else [option, str(value)]
        return " ".join(parts + ([] if self.plugin else ["--no-plugin"]))


def default_output(request: BuildRequest, model: OnnxManifest, batch: int) -> Path:
    """Return where an engine goes that was given no name: into the person's folder of engines."""
    name = f"{model.network}_x{model.scale}_{model.precision}_b{batch}.{request.board.name}.engine"
    return engines() / name.replace(":", "-")


def check_machine(request: BuildRequest, device: Device) -> None:
    """Refuse to build for a Jetson anywhere but on that Jetson, and at other clocks than asked.

    Raises:
        EngineError: the machine or its power mode is not the one asked for.
    """
    board = request.board
    mode = None if request.power_mode is None else board.power_mode(request.power_mode)
    if board.is_jetson and device.board != board:
        if device.board is not None:
            fix = replace(request, power_mode=None).command(device.board.name)
            raise EngineError(
                f"this is a {device.board.title}, not a {board.title}; an engine is a program for "
                "one GPU and is timed on it",
                fix=fix,
            )
        raise EngineError(
            f"an engine for the {board.title} is built on the board itself; this is {device.model}",
            where=request.onnx,
            fix=f"scp {shell(request.onnx)} {shell(OnnxManifest.path_for(request.onnx))} BOARD:  "
            f"and on the board: {replace(request, onnx=Path(request.onnx.name)).command()}"
            "\n  (--check parses and validates it here; in a container on the board: "
            f"export EDGESR_BOARD={board.name})",
        )
    if board.any_gpu and device.board != board:
        raise EngineError(
            "the CUDA driver shows no NVIDIA GPU to build for"
            if device.board is None
            else f"this is a {device.board.title}, a board of its own",
            where=Argument("board", board.name),
            fix="edgesr doctor"
            if device.board is None
            else replace(request, power_mode=None).command(device.board.name),
        )
    if mode is not None and device.power_mode not in {None, mode.name}:
        number = device.power_modes.get(mode.name, mode.id)
        raise EngineError(
            f"the board is in power mode {device.power_mode}, not {mode.name}; kernels are timed "
            "at the clocks that are set",
            where=Argument("power_mode"),
            fix=f"sudo nvpmodel -m {number}",
        )


def check_model(
    request: BuildRequest, stack: Stack, *, plugin: bool = False
) -> tuple[OnnxManifest, net.ParsedNetwork]:
    """Read and parse the model; the whole of `--check`.

    Args:
        request: what the user asked for.
        stack: TensorRT.
        plugin: leave the scans to the plugin, which is loaded; else they are written out.

    Raises:
        ModelError: the file or its manifest is wrong.
        EngineError: precision or batch is not what was asked, or this TensorRT lacks the precision.
    """
    net.read_onnx(request.onnx)  # a file of another kind is named as such, manifest or not
    model, content = OnnxManifest.load(request.onnx)
    check_content(content, request.onnx, model.again())
    if model.precision == "int8" and stack.typing is Typing.WEAK:
        raise EngineError(
            f"TensorRT {stack.version} takes every scale for float32 and would misread this int8 "
            "file; int8 needs TensorRT 10 or later (JetPack 6.1)",
            where=request.onnx,
            fix=model.again("fp16"),
        )
    parsed = net.parse(stack, request.onnx, model, request.batch, plugin=plugin)
    computed = parsed.precision
    asked = request.precision or model.precision
    if computed != asked:
        raise EngineError(
            f"{asked} was asked for, but the graph computes in {computed}; an engine computes in "
            "the types that its ONNX file states",
            where=request.onnx,
            fix=model.again(asked),
        )
    return model, parsed


def check_room(output: Path) -> None:
    """Refuse an output that could not be written, before minutes are spent on building.

    Raises:
        EngineError: too little space, or the folder cannot be made.
        ConfigError: the folder is read-only, or the output itself is a folder.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        free_mib = shutil.disk_usage(output.parent).free // MIB
    except OSError as error:
        raise EngineError(f"cannot write here ({error.strerror})", where=output.parent) from error
    if free_mib < FREE_DISK_MIB:
        raise EngineError(
            f"only {free_mib} MiB are free; an engine may need {FREE_DISK_MIB}",
            where=output.parent,
            fix=f"df -h {shell(output.parent)}",
        )
    check_folder(output)


def build(
    request: BuildRequest,
    device: Device,
    cache_folder: Path,
    output: Path | None = None,
    on_step: OnStep = lambda phase, done, total: None,
    on_notice: Callable[[str], None] = lambda line: None,
) -> tuple[Path, EngineManifest]:
    """Build an engine and write it with its manifest.

    Args:
        request: what to build.
        device: this machine.
        cache_folder: where timing caches lie.
        output: the engine's path; None: `default_output`.
        on_step: told the builder's progress.
        on_notice: told in one line when memory ran out and less is tried, and when scans do
            without their plugin.

    Returns:
        The engine's path and its manifest.

    Raises:
        ModelError: the ONNX file or its manifest is wrong.
        EngineError: wrong machine, precision or batch; no memory, no space, the scan's plugin
            cannot be compiled or loaded, or TensorRT failed.
        ConfigError: the folder of plugins cannot be written, or EDGESR_TENSORRT_INCLUDE is wrong.
        MissingError: TensorRT is not installed.
    """
    check_machine(request, device)
    stack = find_stack(request.board.tensorrt_modules)
    without = replace(request, plugin=False).command()
    onnx = net.read_onnx(request.onnx)
    plugin = scan_plugin(onnx, stack, without, on_step, on_notice) if request.plugin else None
    model, parsed = check_model(request, stack, plugin=plugin is not None)
    path = output or default_output(request, model, parsed.batch)
    check_room(path)
    cache = TimingCache.of(
        parsed.structure_sha256, request.board.name, f"{stack.name} {stack.version}", cache_folder
    )
    builder = EngineBuilder(request.board, stack, parsed, model.precision, cache, on_step)
    started = time.monotonic()
    with PeakMemory() as memory:
        engine, attempts = build_within_memory(request.board, builder, on_notice)
    build_s = time.monotonic() - started
    inspected = engine_layers(stack, engine)
    layers = inspected or parsed.layers
    manifest = EngineManifest(
        network=model.network,
        scale=model.scale,
        tile=model.tile,
        batch=parsed.batch,
        precision=model.precision,
        board=request.board.name,
        power_mode=device.power_mode,
        onnx_file=request.onnx.name,
        onnx_sha256=model.onnx_sha256,
        weights_sha256=None if model.parent is None else model.parent.sha256,
        engine_sha256=hashlib.sha256(engine).hexdigest(),
        tensorrt_module=stack.name,
        tensorrt=stack.version,
        cuda=device.cuda,
        l4t=device.l4t,
        compute_capabilities=request.board.compute_capabilities,
        typing=stack.typing.value,
        layers=count_types(layers),
        layers_from="parsed network" if inspected is None else "engine inspector",
        inputs={tensor.name: tensor.shape for tensor in parsed.inputs},
        outputs={tensor.name: tensor.shape for tensor in parsed.outputs},
        flags=builder.flags,
        attempts=attempts,
        skipped_tactics=sum(map(is_out_of_memory, parsed.messages.warnings)),
        timing_cache=builder.timing_cache,
        build_s=round(build_s, 3),
        parse_s=round(parsed.parse_s, 3),
        no_plugin=not request.plugin,
        peak_memory_mib=memory.mib,
        edgesr=__version__,
        plugin=plugin,
        fp32_layers=() if model.precision == "fp32" else names_in("fp32", layers),
    )
    manifest.write_with(path, engine)
    return path, manifest
