"""The kernel that sums tiles: its sums on a real GPU, and that it can be compiled for any."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgesr.engine import find
from edgesr.engine.nvcc import USUAL_NVCC
from edgesr.runtime import tile_sums
from edgesr.runtime.guard import fault

KERNEL = Path(tile_sums.__file__).with_name("tile_sums.ptx")
PTXAS = shutil.which("ptxas") or shutil.which("ptxas", path=USUAL_NVCC.parent)

needs_gpu = pytest.mark.skipif(
    importlib.util.find_spec("pycuda") is None or find.first_gpu() is None,
    reason="needs pycuda and an NVIDIA GPU",
)


@pytest.mark.skipif(PTXAS is None, reason="needs ptxas, of the CUDA toolkit")
@pytest.mark.parametrize("gpu", ["sm_75", "sm_86", "sm_87", "sm_89", "sm_90"])
def test_it_compiles_for_any_gpu(gpu: str, tmp_path: Path) -> None:
    command = [str(PTXAS), "--gpu-name", gpu, "-v", str(KERNEL), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "spill" not in done.stderr or "0 bytes spill stores" in done.stderr


@needs_gpu
@pytest.mark.parametrize("is_recorded", [False, True])
@pytest.mark.parametrize("is_mapped", [False, True])
@pytest.mark.parametrize(
    "shape", [(1, 3, 256, 256), (32, 3, 256, 256), (5, 3, 21, 21), (2, 3, 1, 1)]
)
def test_the_sums_of_a_gpu_are_those_of_numpy(
    shape: tuple[int, ...], is_mapped: bool, is_recorded: bool
) -> None:
    from edgesr.engine.cuda_graph import CudaGraph
    from edgesr.runtime.cuda_buffers import allocate, import_pycuda

    driver, primary = import_pycuda()
    primary.push()
    try:
        stream = driver.Stream()
        output = allocate(driver, shape, is_mapped)
        output.host[...] = np.random.default_rng(0).standard_normal(shape)
        sums = tile_sums.TileSums(driver, tile_sums.load_kernel(driver), output)

        def enqueue() -> None:
            output.upload(driver, stream)
            sums.enqueue(stream)

        enqueue()
        stream.synchronize()
        launch = CudaGraph(stream.handle, enqueue).launch if is_recorded else enqueue
        for broken in (None, np.nan, np.inf, -np.inf):
            if broken is not None:
                output.host[-1, -1, -1, -1] = broken
            launch()
            stream.synchronize()
            exact = output.host.astype(np.float64).sum(axis=(1, 2, 3))
            np.testing.assert_allclose(sums.of_first(shape[0]), exact, rtol=1e-4, atol=1e-2)
    finally:
        driver.Context.pop()


def test_a_known_sum_is_believed_only_of_a_whole_tile() -> None:
    """Any other is looked at, so that what is wrong has its name."""
    tile, bright = np.full((3, 2, 2), 0.5, np.float32), np.full((3, 8, 8), 0.5, np.float32)
    assert fault(tile, bright, float(bright.sum())) is None
    for total in (np.nan, np.inf, -np.inf, 0.0):
        assert fault(tile, bright, total) is None
    broken = bright.copy()
    broken[1, 2, 3] = np.nan
    assert "not numbers" in str(fault(tile, broken, np.nan))
    assert "black" in str(fault(tile, 0 * bright, 0.0))
