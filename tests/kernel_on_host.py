"""The plugin's kernels compiled for the CPU by g++, once in a run of the tests."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
from once_a_run import locked, shared_folder

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "tests/scan/plugin_on_host/mixer_on_host.cpp"


@pytest.fixture(scope="session")
def kernel_on_host(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The kernels and their launches, for arrays in host memory."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++")
    if "f16c" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this CPU cannot convert half precision (F16C)")
    path = shared_folder(tmp_path_factory, "kernel_on_host") / "mixer_on_host.so"
    flags = ["-std=c++14", "-O1", "-mf16c", "-shared", "-fPIC"]
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"]
    include = f"-I{ROOT / 'edgesr/scan/plugin'}"
    with locked(path.with_suffix(".lock")):
        if not path.exists():
            command = [compiler, *flags, *warnings, include, SOURCE, "-o", path]
            subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(path))
    loaded.edgesr_mixer_workspace.restype = ctypes.c_ulonglong
    return loaded
