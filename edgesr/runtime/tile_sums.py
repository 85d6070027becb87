"""The sum over each tile of an output, taken by the GPU that has just written it.

Half precision overflows without a word. A sum tells of nearly every tile that it is whole
(guard.py), but for the CPU it is the first look at what the GPU wrote: at batch 32 that takes
longer than a small network. The kernel is PTX, which any driver compiles when it is loaded.
"""

from importlib.resources import files
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.runtime.cuda_buffers import BufferPair, allocate

Enlarged = tuple[NDArray[np.float32], NDArray[np.float32] | None]
"""Tiles that came out, (n, 3, height, width), and the sum of each, (n,), where it is taken."""
PARTS = 256
"""Sums of a tile: enough blocks to keep a large GPU busy with one tile, and few to add up."""
THREADS = 256
"""Of a block, as the kernel has it."""


def load_kernel(driver: Any) -> Any:
    """Return the kernel, loaded into the current context of pycuda's driver module."""
    text = (files("edgesr.runtime") / "tile_sums.ptx").read_bytes()
    kernel = driver.module_from_buffer(text).get_function("tile_sums")
    kernel.prepare("PPI")
    return kernel


class TileSums:
    """The sums of one output.

    Args:
        driver: pycuda's driver module.
        kernel: as `load_kernel` gave it.
        output: (tiles, 3, height, width).
    """

    def __init__(self, driver: Any, kernel: Any, output: BufferPair) -> None:
        self._kernel, self._output = kernel, output
        count, *sides = output.host.shape
        self._values = prod(sides)
        # In host memory, which the GPU writes to: a copy of so little takes longer.
        self._sums = allocate(driver, (count, PARTS), is_mapped=True)

    def enqueue(self, stream: Any) -> None:
        """Put the kernel on a stream, behind what writes the output."""
        grid, block = (PARTS, len(self._sums.host)), (THREADS, 1, 1)
        addresses = int(self._output.device), int(self._sums.device)
        self._kernel.prepared_async_call(grid, block, stream, *addresses, self._values)

    def of_first(self, count: int) -> NDArray[np.float32]:
        """Return the sum of each of the first tiles, (count,), once the stream got there."""
        with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity is NaN
            found: NDArray[np.float32] = self._sums.host[:count].sum(axis=1)
        return found
