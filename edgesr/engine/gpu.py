"""The first GPU, asked through the CUDA driver; needs neither pycuda nor torch."""

import ctypes
from dataclasses import dataclass

# CUdevice_attribute of cuda.h; these numbers are part of the driver's ABI and never change.
_COMPUTE_CAPABILITY_MAJOR = 75
_COMPUTE_CAPABILITY_MINOR = 76


@dataclass(frozen=True)
class Gpu:
    """A CUDA device.

    Attributes:
        name: as the driver prints it.
        compute_capability: such as `8.7`.
        driver_cuda: highest CUDA version of the driver, such as `12.6`.
    """

    name: str
    compute_capability: str
    driver_cuda: str


def first_gpu() -> Gpu | None:
    """Return the first CUDA device, or None where there is no driver or no device."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, version, major, minor = (ctypes.c_int() for _ in range(4))
    name = ctypes.create_string_buffer(256)
    failed = (  # each call returns a CUresult, 0 is success; the first failure ends the row
        cuda.cuInit(0)
        or cuda.cuDeviceGet(ctypes.byref(device), 0)
        or cuda.cuDriverGetVersion(ctypes.byref(version))
        or cuda.cuDeviceGetName(name, len(name), device)
        or cuda.cuDeviceGetAttribute(ctypes.byref(major), _COMPUTE_CAPABILITY_MAJOR, device)
        or cuda.cuDeviceGetAttribute(ctypes.byref(minor), _COMPUTE_CAPABILITY_MINOR, device)
    )
    if failed:
        return None
    return Gpu(
        name=name.value.decode(errors="replace"),
        compute_capability=f"{major.value}.{minor.value}",
        driver_cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
    )
