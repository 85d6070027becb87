"""Registers, spills and shared memory of the plugins on every kind of GPU they are meant for.

    python -m benchmarks.tensorrt.kernels              # every kernel of the plugins
    python -m benchmarks.tensorrt.kernels --shipped    # only those of student and teacher-paper

Needs nvcc and no GPU: the kernels are compiled as `build-engine` compiles them, without TensorRT's
headers, and what ptxas says is read. Writes benchmarks/results/tensorrt/kernels.json.xz.
"""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.shared.folders import RESULTS
from benchmarks.shared.results import write_result
from edgesr.artifacts.plugin import read_sources, source_sha256
from edgesr.engine.nvcc import Nvcc, find_nvcc, first_error

SCHEMA = "edgesr-plugin-kernels/1"
RESULT = RESULTS / "tensorrt/kernels.json.xz"
GPUS = {
    "7.5": "Turing",
    "8.0": "A100",
    "8.6": "GeForce RTX 30",
    "8.7": "Jetson Orin",
    "8.9": "GeForce RTX 40",
    "9.0": "H100, H200",
    "11.0": "Jetson Thor",
}
ALL = '#include "cuda.cuh"\n#include "c_symbols.cuh"\n'
SHIPPED = """#include "cuda.cuh"
#include "mixer_kernel.cuh"
#include "norm_kernel.cuh"
namespace edgesr {
template __global__ void mixer_kernel<float, 2, 1, 4, 4, true, MAX_BLOCK>(const Mixer);
template __global__ void mixer_kernel<__half, 2, 1, 4, 4, true, MAX_BLOCK>(const Mixer);
template __global__ void mixer_kernel<float, 4, 16, 4, 8, true, MAX_BLOCK>(const Mixer);
template __global__ void mixer_kernel<__half, 4, 16, 4, 8, true, MAX_BLOCK>(const Mixer);
template __global__ void norm_kernel<float, 8, 4, true>(const Norm);
template __global__ void norm_kernel<__half, 8, 4, true>(const Norm);
template __global__ void norm_kernel<float, 16, 4, true>(const Norm);
template __global__ void norm_kernel<__half, 16, 4, true>(const Norm);
}
"""
"""The kernels of the student (d = 32, N = 1) and of teacher-paper (d = 60, N = 16); E is 2d."""

PARAMETERS = {
    "mixer": ("lane_channels", "states", "taps", "steps"),
    "norm": ("lanes", "values_per_lane"),
}
"""Numbers that a kernel's template has behind the type, before the flag of its vector form."""


def read_ptxas(text: str, kernel: str = "mixer") -> list[dict[str, Any]]:
    """Return what `nvcc -Xptxas -v` said of each variant of a kernel, `mixer` or `norm`."""
    names = PARAMETERS[kernel]
    entry = re.compile(
        rf"entry function '\S*{kernel}_kernelI(?P<type>f|6__half)"
        + "".join(rf"Li(?P<{name}>\d+)E" for name in names)
        + r"Lb(?P<vector>[01])E\S*' for 'sm_(?P<sm>\d+)'.*?"
        r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
        r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers",
        re.DOTALL,
    )
    return [
        {
            "type": "float32" if found["type"] == "f" else "float16",
            **{name: int(found[name]) for name in names},
            "vector": found["vector"] == "1",
            "registers": int(found["registers"]),
            "stack_bytes": int(found["stack"]),
            "spill_store_bytes": int(found["stores"]),
            "spill_load_bytes": int(found["loads"]),
        }
        for found in entry.finditer(text)
    ]


def supported(nvcc: Nvcc) -> set[str]:
    """Return the compute capabilities that a compiler knows."""
    done = subprocess.run(
        [nvcc.path, "--list-gpu-code"], capture_output=True, text=True, check=True
    )
    return {f"{sm[:-1]}.{sm[-1]}" for sm in re.findall(r"sm_(\d+)\b", done.stdout)}


def measure(nvcc: Nvcc, compute_capability: str, program: str) -> dict[str, list[dict[str, Any]]]:
    """Compile a program of kernels for one GPU; return their resources, by mixer and norm.

    Raises:
        RuntimeError: nvcc failed; its first error.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in read_sources().items():
            (folder / file).write_bytes(content)
        source = folder / "kernels.cu"
        source.write_text(program)
        command = nvcc.command(source, folder, folder / "kernels.cubin", compute_capability, "")
        command = [part for part in command if part != "-shared"]
        done = subprocess.run(
            [*command, "-cubin", "-Xptxas=-v"], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(first_error(done.stderr + done.stdout))
    said = done.stderr + done.stdout
    return {kernel: read_ptxas(said, kernel) for kernel in PARAMETERS}


def shared_bytes(
    channels: int, states: int, steps: int, lane_channels: int, warps: int = 8
) -> tuple[int, int]:
    """Return the warps of a block and its dynamic shared memory, as mixer_launch.cuh plans them."""
    each = 4 * ((1 + states) * channels + steps * (lane_channels + 2 * states))
    while warps > 1 and warps * each + 16 > 48 * 1024:
        warps //= 2
    return warps, warps * each + 16


def main(arguments: Sequence[str] | None = None) -> None:
    """Compile for every GPU that nvcc knows and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shipped", action="store_true", help="student and teacher-paper only")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    nvcc = find_nvcc("a machine with CUDA's compiler")
    if nvcc is None:
        parser.exit(1, "there is no nvcc\n")
    known = supported(nvcc)
    gpus = {}
    for capability, title in GPUS.items():
        if capability in known:
            print(f"compute capability {capability} ({title})", flush=True)
            program = SHIPPED if options.shipped else ALL
            found = measure(nvcc, capability, program)
            gpus[capability] = {"title": title, "kernels": found["mixer"], "norms": found["norm"]}
    command = "python -m benchmarks.tensorrt.kernels" + (" --shipped" if options.shipped else "")
    blocks = {
        name: dict(zip(("warps", "shared_bytes"), shared_bytes(*sizes), strict=True))
        for name, sizes in {"student": (64, 1, 4, 2), "teacher": (120, 16, 8, 4)}.items()
    }
    result = {
        "schema": SCHEMA,
        "command": command,
        "nvcc": nvcc.version,
        "source_sha256": source_sha256(),
        "blocks": blocks,
        "gpus": gpus,
    }
    write_result(options.output, result)


if __name__ == "__main__":
    main()
