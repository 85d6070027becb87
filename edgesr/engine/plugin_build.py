"""Compile the mixer's TensorRT plugin with `nvcc`, once for each machine, and say why not.

The library is kept under a name made of everything that it depends on: the sources, the releases of
TensorRT and of the compiler, and the GPU. A record beside it, written last, holds its SHA-256; a
library that does not agree with its record is compiled again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from edgesr.artifacts import home
from edgesr.artifacts.file_set import locked
from edgesr.artifacts.plugin import (
    NODE,
    SOURCES,
    Plugin,
    load_library,
    read_sources,
    source_sha256,
)
from edgesr.boards.gpu import Gpu, first_gpu
from edgesr.decode import LIMIT_BYTES, MalformedError, decode_json, read_bounded
from edgesr.engine.nvcc import INCLUDE_VARIABLE, Nvcc, find_headers, find_nvcc, first_error, run
from edgesr.engine.plugin_nodes import too_large
from edgesr.engine.progress import OnStep
from edgesr.engine.stack import Stack
from edgesr.errors import ConfigError, EngineError
from edgesr.files import atomic_path, make_folder, sha256, temporary_folder, write_json

COST = (
    "the scan is built as many small layers instead, which takes longer "
    "(the student on an H200: 1.11 ms a tile, not 0.24 ms)"
)
"""What it costs to do without the plugin, said wherever it is missing: benchmarks/TENSORRT.md."""


@dataclass(frozen=True)
class Tools:
    """What plugins are compiled with and for.

    Attributes:
        nvcc: the compiler.
        include: folder of NvInfer.h.
        compute_capability: of this machine's GPU, such as `8.7`.
    """

    nvcc: Nvcc
    include: Path
    compute_capability: str


@dataclass(frozen=True)
class Lack:
    """Why plugins cannot be compiled here.

    Attributes:
        what: what is missing or does not fit.
        fix: what to type; None: nothing helps.
    """

    what: str
    fix: str | None = None

    @property
    def cost(self) -> str:
        """Return what is missing and what it costs, in one line."""
        return f"{self.what}: {COST}"

    @property
    def line(self) -> str:
        """Return what is missing, what to type and what it costs, in one line."""
        return self.cost if self.fix is None else f"{self.what} ({self.fix}): {COST}"


def needs_plugin(onnx: bytes) -> bool:
    """Return whether an ONNX file holds a node that the plugin can run."""
    return NODE.encode() in onnx


def scan_plugin(
    onnx: bytes, stack: Stack, without: str, on_step: OnStep, on_notice: Callable[[str], None]
) -> Plugin | None:
    """Return the plugin that a model's scans will run in, loaded; None: it has none, or without.

    Args:
        onnx: the model.
        stack: TensorRT.
        without: the command that builds the engine without the plugin, for errors.
        on_step: told that the compiler runs.
        on_notice: told in one line why a scan does without, and what that costs.

    Raises:
        EngineError: the plugin cannot be compiled or loaded.
        ConfigError: its folder cannot be written, or EDGESR_TENSORRT_INCLUDE is wrong.
    """
    if not needs_plugin(onnx):
        return None
    beyond = too_large(onnx)
    if beyond is not None:
        on_notice(Lack(beyond).cost)
        return None
    plugin, reason = choose_plugin(stack, first_gpu(), home.plugins(), without, on_step)
    if plugin is None:
        on_notice(reason)
    return plugin


def find_tools(stack: Stack, gpu: Gpu | None, without: str) -> Tools | Lack:
    """Return what this machine compiles plugins with, or why it cannot.

    Args:
        stack: TensorRT.
        gpu: this machine's GPU; None: it has none.
        without: the command that does without plugins, for errors.

    Raises:
        EngineError: the compiler does not run.
        ConfigError: EDGESR_TENSORRT_INCLUDE is wrong.
    """
    if stack.name != "tensorrt":
        return Lack(f"{stack.name} takes no plugins")
    if gpu is None:
        return Lack("there is no GPU to compile the scan's plugin for")
    nvcc = find_nvcc(without)
    if nvcc is None:
        return Lack("there is no nvcc", "sudo apt install cuda-nvcc-*")
    if int(nvcc.version.split(".")[0]) > int(gpu.driver_cuda.split(".")[0]):
        return Lack(
            f"nvcc {nvcc.version} is newer than the driver (CUDA {gpu.driver_cuda}), which would "
            "not run what it compiles"
        )
    include = find_headers(stack.version)
    if include is None:
        return Lack(
            f"there are no headers of TensorRT {stack.version}",
            f"sudo apt install libnvinfer-dev, or {INCLUDE_VARIABLE}=the folder of NvInfer.h",
        )
    return Tools(nvcc, include, gpu.compute_capability)


def choose_plugin(
    stack: Stack, gpu: Gpu | None, folder: Path, without: str, on_step: OnStep
) -> tuple[Plugin | None, str]:
    """Return the plugin for this machine, compiled and loaded, or why the scan does without.

    Args:
        stack: TensorRT.
        gpu: this machine's GPU; None: it has none.
        folder: where plugins are kept.
        without: the command that builds the engine without the plugin, for errors.
        on_step: told that the compiler runs, and that it has ended.

    Returns:
        The plugin and an empty text; or None and one line that says what is missing, how to get it
        and what it costs.

    Raises:
        EngineError: the compiler failed, or the library cannot be loaded.
        ConfigError: the folder cannot be written, or EDGESR_TENSORRT_INCLUDE is wrong.
    """
    tools = find_tools(stack, gpu, without)
    if isinstance(tools, Lack):
        return None, tools.line
    plugin = compiled(
        tools.nvcc,
        tools.include,
        stack.version,
        tools.compute_capability,
        folder,
        without,
        on_step,
    )
    load_library(folder / plugin.file, plugin.source_sha256, f"rm {folder / plugin.file}")
    return plugin, ""


def compiled(
    nvcc: Nvcc,
    include: Path,
    tensorrt: str,
    compute_capability: str,
    folder: Path,
    without: str,
    on_step: OnStep,
) -> Plugin:
    """Return the plugin for these, from the folder if it is there, else compiled into it.

    Raises:
        EngineError: the compiler failed; nothing is left of the attempt.
        ConfigError: the folder cannot be written.
    """
    source = source_sha256()
    key = hashlib.sha256("\n".join((source, tensorrt, compute_capability, nvcc.version)).encode())
    library = folder / f"mixer-{key.hexdigest()[:16]}.so"
    record = library.with_suffix(".json")
    plugin = _kept(library, record)
    if plugin is not None:
        return plugin
    try:
        make_folder(folder)
        # What one process compiled, another must not replace: engines name the library by its hash.
        with locked(folder):
            plugin = _kept(library, record)
            if plugin is None:
                plugin = _compile(
                    nvcc, include, tensorrt, compute_capability, library, without, on_step
                )
                write_json(record, asdict(plugin))
    except ConfigError as error:
        fix = f"EDGESR_HOME=FOLDER, a folder that can be written, or {without}"
        raise ConfigError(error.what, where=error.where, fix=fix) from error
    return plugin


def _compile(
    nvcc: Nvcc,
    include: Path,
    tensorrt: str,
    compute_capability: str,
    library: Path,
    without: str,
    on_step: OnStep,
) -> Plugin:
    """Compile the sources to a library; nothing is left of an attempt that fails."""
    source = source_sha256()
    phase = f"compiling the scan's plugin with nvcc {nvcc.version}, once for this machine"
    on_step(phase, 0, 1)
    with temporary_folder() as folder, atomic_path(library) as temporary:
        for file, content in read_sources().items():
            (folder / file).write_bytes(content)
        command = nvcc.command(folder / SOURCES[-1], include, temporary, compute_capability, source)
        done = run(command)
        if done.returncode:
            raise EngineError(
                f"nvcc failed: {first_error(done.stderr + done.stdout)}",
                where=nvcc.path,
                fix=without,
            )
    on_step(phase, 1, 1)
    return Plugin(library.name, sha256(library), source, tensorrt, compute_capability, nvcc.version)


def _kept(library: Path, record: Path) -> Plugin | None:
    """Return the plugin that was compiled before, None where there is none or it was damaged."""
    known = _read(record)
    named = known is not None and known.file == library.name and library.is_file()
    return known if known is not None and named and sha256(library) == known.sha256 else None


def _read(record: Path) -> Plugin | None:
    """Return what a record says; None where it is missing or was damaged."""
    try:
        return decode_json(read_bounded(record, LIMIT_BYTES), Plugin)
    except (OSError, MalformedError):
        return None
