"""Memory by pycuda: a pinned host array and its device memory, or one memory for both."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.errors import MissingError


@dataclass
class BufferPair:
    """A tensor in host and in device memory.

    Attributes:
        host: pinned, float32.
        device: device memory of the same size, convertible to its address; where memory is shared,
            the address of `host` itself.
        is_mapped: whether memory is shared, so that nothing is copied.
    """

    host: NDArray[np.float32]
    device: Any
    is_mapped: bool

    def upload(self, driver: Any, stream: Any) -> None:
        """Copy to the device, in the stream's order."""
        if not self.is_mapped:
            driver.memcpy_htod_async(self.device, self.host, stream)

    def download(self, driver: Any, stream: Any) -> None:
        """Copy to the host, in the stream's order."""
        if not self.is_mapped:
            driver.memcpy_dtoh_async(self.host, self.device, stream)


def shares_memory(driver: Any) -> bool:
    """Return whether the current GPU computes in the CPU's memory, as a Jetson's does."""
    device = driver.Context.get_device()
    return bool(device.get_attribute(driver.device_attribute.INTEGRATED))


def allocate(driver: Any, shape: tuple[int, ...], is_mapped: bool) -> BufferPair:
    """Allocate a tensor; see `BufferPair`."""
    if is_mapped:
        flags = driver.host_alloc_flags.DEVICEMAP
        host = driver.pagelocked_empty(shape, np.float32, mem_flags=flags)
        return BufferPair(host, int(host.base.get_device_pointer()), is_mapped)
    host = driver.pagelocked_empty(shape, np.float32)
    return BufferPair(host, driver.mem_alloc(host.nbytes), is_mapped)


def import_pycuda() -> tuple[Any, Any]:
    """Return pycuda's driver module and the primary context of the GPU.

    `autoprimaryctx`, not `autoinit`: the primary context is the one that TensorRT uses through the
    runtime API; with another, its calls end in `invalid resource handle` or in zeros.

    Raises:
        MissingError: pycuda is not installed.
    """
    try:
        import pycuda.autoprimaryctx
        import pycuda.driver
    except ImportError as error:
        raise MissingError(
            f"pycuda is not installed ({str(error).splitlines()[0]})",
            fix="PATH=/usr/local/cuda/bin:$PATH pip install 'edgesr[jetson]'",
        ) from error
    return pycuda.driver, pycuda.autoprimaryctx.context
