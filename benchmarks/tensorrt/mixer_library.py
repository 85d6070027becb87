"""The library of the plugin's kernel: compiled without TensorRT, and opened by its C symbols."""

import ctypes
import subprocess
from pathlib import Path

from benchmarks.tensorrt.kernels import ALL
from edgesr.artifacts.plugin import read_sources, source_sha256
from edgesr.engine.nvcc import Nvcc, first_error
from edgesr.errors import EngineError

SHIPPED = "steps4"
BUILDS = {
    SHIPPED: (),
    "steps2": ("-DEDGESR_STEPS=2",),
    "steps8": ("-DEDGESR_STEPS=8",),
    "steps4_512": ("-DEDGESR_MAX_BLOCK=512",),
    "steps2_512": ("-DEDGESR_STEPS=2", "-DEDGESR_MAX_BLOCK=512"),
}
"""Settings of the compiler: steps of a warp, and threads of the largest block."""


def compile_build(nvcc: Nvcc, capability: str, build: str, folder: Path) -> Path:
    """Compile the kernel with its C symbols and without TensorRT.

    Raises:
        EngineError: nvcc failed.
    """
    for file, content in read_sources().items():
        (folder / file).write_bytes(content)
    source, library = folder / f"{build}.cu", folder / f"{build}.so"
    source.write_text(ALL)
    command = [*nvcc.command(source, folder, library, capability, source_sha256()), *BUILDS[build]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(first_error(done.stderr + done.stdout), where=nvcc.path, fix="nvcc")
    return library


def load(library: Path) -> ctypes.CDLL:
    """Open a compiled library."""
    loaded = ctypes.CDLL(str(library))
    loaded.edgesr_plugin_version.restype = ctypes.c_char_p
    loaded.edgesr_mixer_workspace.restype = ctypes.c_ulonglong
    return loaded
