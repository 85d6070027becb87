"""Kernels of the scan's plugin, compiled for every GPU they are meant for, and their result."""

import pytest

from benchmarks.shared.results import read_result
from benchmarks.tensorrt import kernels as tensorrt_kernels
from edgesr.artifacts.plugin import source_sha256
from edgesr.engine.nvcc import find_nvcc


@pytest.mark.long  # g++ compiles the kernels every time, and the result below is of these sources
def test_student_and_teacher_compile_without_spills_for_an_orin() -> None:
    capability = "8.7"  # the others take a minute each; the result below holds them all
    nvcc = find_nvcc("")
    if nvcc is None:
        pytest.skip("there is no nvcc")
    if capability not in tensorrt_kernels.supported(nvcc):
        pytest.skip(f"nvcc {nvcc.version} does not know compute capability {capability}")
    found = tensorrt_kernels.measure(nvcc, capability, tensorrt_kernels.SHIPPED)
    kernels, norms = found["mixer"], found["norm"]
    sizes = ("type", "lanes", "values_per_lane", "vector")
    assert {tuple(norm[name] for name in sizes) for norm in norms} == {
        (kind, *lanes, vector)
        for kind in ("float32", "float16")
        for lanes in ((8, 4), (16, 4), (32, 4), (32, 32))
        for vector in (False, True)
    }
    assert {(kernel["type"], kernel["states"]) for kernel in kernels} == {
        (kind, states) for kind in ("float32", "float16") for states in (1, 16)
    }
    for kernel in (*kernels, *norms):
        assert kernel["spill_store_bytes"] == kernel["spill_load_bytes"] == 0, kernel
        assert kernel["registers"] * 256 <= 65536, "a block of eight warps does not fit"


def test_the_result_is_of_these_sources_and_holds_every_kernel() -> None:
    result = read_result(tensorrt_kernels.RESULT)
    assert result["source_sha256"] == source_sha256(), result["command"]
    assert list(result["gpus"]) == list(tensorrt_kernels.GPUS)
    for gpu in result["gpus"].values():
        sizes = {
            (kernel["lane_channels"], kernel["states"], kernel["steps"])
            for kernel in gpu["kernels"]
        }
        assert {(2, 1, 4), (4, 16, 8)} <= sizes, "the plugin has no such kernels for --shipped"
        assert len(gpu["kernels"]) == 22
        assert len(gpu["norms"]) == 16
        every = (*gpu["kernels"], *gpu["norms"])
        assert all(kernel["spill_store_bytes"] == 0 for kernel in every)
    assert all(block["shared_bytes"] <= 48 * 1024 for block in result["blocks"].values())
