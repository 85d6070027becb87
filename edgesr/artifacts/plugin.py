"""The TensorRT plugin that runs a Mamba mixer as one kernel: its library, and loading it.

The library is compiled on the machine that runs it (`edgesr.engine.plugin_build`), for one release
of TensorRT and one kind of GPU, and lies in the person's folder of plugins (home.py). An engine
that holds the plugin names the library in its manifest; without that very library it is not opened.
"""

import ctypes
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edgesr.artifacts.home import plugins
from edgesr.decode import FileName, Sha256, Text
from edgesr.errors import EngineError
from edgesr.files import sha256

SOURCES = (
    "c_symbols.cuh",
    "cuda.cuh",
    "mixer_arguments.cuh",
    "mixer_chain.cuh",
    "mixer_kernel.cuh",
    "mixer_launch.cuh",
    "mixer_plugin.cuh",
    "norm_kernel.cuh",
    "norm_plugin.cuh",
    "token_plugin.cuh",
    "values.cuh",
    "weights.cuh",
    "plugin.cu",
)
"""Files of edgesr/scan/plugin; the last is the one to compile."""

NODE = "MambaMixer"
"""Name of the plugin, and of the ONNX operator that it runs."""


def read_sources() -> dict[str, bytes]:
    """Return the content of each source file by its name."""
    folder = resources.files("edgesr.scan") / "plugin"
    return {name: (folder / name).read_bytes() for name in SOURCES}


def source_sha256() -> str:
    """Return one SHA-256 of all source files, their names included."""
    digest = hashlib.sha256()
    for name, content in read_sources().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


@dataclass(frozen=True)
class Plugin:
    """A compiled plugin, as the manifest of an engine names it.

    Attributes:
        file: name of the library in the folder of plugins.
        sha256: SHA-256 of the library.
        source_sha256: of the sources it was compiled from; another edgesr may have others.
        tensorrt: version of the TensorRT whose headers it was compiled with.
        compute_capability: of the GPU it was compiled for, such as `8.7`.
        nvcc: version of the compiler, such as `12.6.68`.
    """

    file: FileName
    sha256: Sha256
    source_sha256: Sha256
    tensorrt: Text
    compute_capability: Text
    nvcc: Text

    def check(
        self, *, tensorrt: str, compute_capability: str | None, where: Path, fix: str
    ) -> Path:
        """Refuse a plugin of another edgesr or machine, and a library that is not there.

        Args:
            tensorrt: version of TensorRT here.
            compute_capability: of this machine's GPU; None: there is no GPU.
            where: the engine that needs it.
            fix: the command that builds engine and plugin again.

        Returns:
            The library, not loaded yet.

        Raises:
            EngineError: it does not fit, is missing or was changed.
        """
        library = plugins() / self.file
        wrong = None
        if self.source_sha256 != source_sha256():
            wrong = "it was built with the plugin of another edgesr"
        elif self.tensorrt != tensorrt:
            wrong = f"its plugin was compiled for TensorRT {self.tensorrt}; here is {tensorrt}"
        elif self.compute_capability != compute_capability:
            wrong = (
                f"its plugin was compiled for compute capability {self.compute_capability}; "
                f"this GPU has {compute_capability}"
            )
        elif not library.is_file():
            wrong = f"it was built with a plugin that is not here ({library})"
        elif sha256(library) != self.sha256:
            wrong = f"its plugin is damaged or was changed since ({library}, SHA-256 differs)"
        if wrong:
            raise EngineError(wrong, where=where, fix=fix)
        return library


def load_library(library: Path, source: str, fix: str) -> None:
    """Load a plugin's library into this process and make it known to TensorRT.

    TensorRT's Python module must have been imported. A library that is loaded already is not
    loaded again.

    Args:
        library: the file.
        source: the SHA-256 of the sources that it must say it was compiled from.
        fix: what to type where that fails.

    Raises:
        EngineError: it cannot be loaded, is no plugin of ours, or TensorRT does not take it.
    """
    try:
        loaded = ctypes.CDLL(str(library))
        loaded.edgesr_plugin_version.restype = ctypes.c_char_p
        stated = loaded.edgesr_plugin_version().decode()
        registered = stated == source and loaded.edgesr_plugin_register() == 1
    except (OSError, AttributeError) as error:
        raise EngineError(
            f"the plugin cannot be loaded ({str(error).splitlines()[0]})", where=library, fix=fix
        ) from error
    if stated != source:
        raise EngineError("it is the plugin of another edgesr", where=library, fix=fix)
    if not registered:
        raise EngineError(
            "TensorRT did not take the plugin: its library is not loaded in this process, or "
            f"another plugin is named {NODE}",
            where=library,
            fix="edgesr doctor",
        )
