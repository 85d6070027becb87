"""The CUDA compiler and the headers of TensorRT: what is on this machine."""

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import ConfigError, EngineError

INCLUDE_VARIABLE = "EDGESR_TENSORRT_INCLUDE"
"""Environment variable that names the folder of NvInfer.h, where it is not a usual one."""

USUAL_NVCC = Path("/usr/local/cuda/bin/nvcc")
"""Where CUDA's packages put it; JetPack does not add that folder to PATH."""

HEADER_FOLDERS = (f"/usr/include/{platform.machine()}-linux-gnu", "/usr/include")
"""Where the package libnvinfer-dev puts NvInfer.h."""


@dataclass(frozen=True)
class Nvcc:
    """A CUDA compiler.

    Attributes:
        path: the program.
        version: such as `12.6.68`.
    """

    path: Path
    version: str

    def command(
        self, source: Path, include: Path, library: Path, compute_capability: str, stated: str
    ) -> list[str]:
        """Return the command that compiles the plugin.

        Args:
            source: plugin.cu, its headers beside it.
            include: folder of NvInfer.h.
            library: the shared library to write.
            compute_capability: of the GPU, such as `8.7`.
            stated: what `edgesr_plugin_version` of the library returns.
        """
        return [
            str(self.path),
            f"-arch=sm_{compute_capability.replace('.', '')}",
            "-std=c++14",
            "-O3",
            "-shared",
            "-Xcompiler=-fPIC",
            f'-DEDGESR_PLUGIN_VERSION="{stated}"',
            f"-I{include}",
            "-o",
            str(library),
            str(source),
        ]


def find_nvcc(without: str) -> Nvcc | None:
    """Return the compiler on PATH, else CUDA's usual one; None where there is neither.

    Args:
        without: the command that does without a compiler, for the error.

    Raises:
        EngineError: it does not run, or does not say its version.
    """
    found = shutil.which("nvcc") or (str(USUAL_NVCC) if USUAL_NVCC.is_file() else None)
    if found is None:
        return None
    done = run([found, "--version"])
    version = re.search(r"\bV(\d+\.\d+\.\d+)", done.stdout)
    if done.returncode or version is None:
        raise EngineError(
            f"the CUDA compiler does not run ({first_error(done.stdout + done.stderr)})",
            where=found,
            fix=without,
        )
    return Nvcc(Path(found), version[1])


def run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a compiler and keep what it prints; one that cannot be started has exit status 127."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error.strerror))


def first_error(text: str) -> str:
    """Return the first line of a compiler's output that names an error, else its first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = (line for line in lines if re.search(r"\berror\b|\bfatal\b", line, re.IGNORECASE))
    return next(named, lines[0] if lines else "it printed nothing")


def header_version(folder: Path) -> tuple[int, int, int] | None:
    """Return the version that NvInferVersion.h in a folder states; None where it is not there."""
    try:
        text = (folder / "NvInferVersion.h").read_text("utf-8", errors="replace")
    except OSError:
        return None
    numbers = []
    for part in ("MAJOR", "MINOR", "PATCH"):
        # Since 10.11 NV_TENSORRT_MAJOR is defined as the second name.
        match = re.search(rf"#define\s+(?:NV_TENSORRT_{part}|TRT_{part}_ENTERPRISE)\s+(\d+)", text)
        if match is None:
            return None
        numbers.append(int(match[1]))
    return numbers[0], numbers[1], numbers[2]


def find_headers(tensorrt: str) -> Path | None:
    """Return the folder of headers that a plugin for this TensorRT can be compiled with.

    They must be of the same major release and no newer than the library.

    Args:
        tensorrt: version of the library, such as `8.5.3.1`.

    Raises:
        ConfigError: EDGESR_TENSORRT_INCLUDE names a folder without such headers.
    """
    library = tuple(int(number) for number in re.findall(r"\d+", tensorrt)[:3])
    named = os.environ.get(INCLUDE_VARIABLE)
    for folder in map(Path, (named,) if named else HEADER_FOLDERS):
        version = header_version(folder)
        if version is not None and version[0] == library[0] and version <= library:
            return folder
    if named:
        found = header_version(Path(named))
        what = "no NvInfer.h" if found is None else f"headers of {'.'.join(map(str, found))}"
        raise ConfigError(
            f"{named} holds {what}; here is TensorRT {tensorrt}",
            where=INCLUDE_VARIABLE,
            fix="the folder of NvInfer.h of that release, or unset it",
        )
    return None
