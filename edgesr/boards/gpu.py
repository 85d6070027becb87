"""The first GPU, asked through the CUDA driver; needs neither pycuda nor torch."""

import ctypes
from dataclasses import dataclass
from uuid import UUID

# CUdevice_attribute of cuda.h; these numbers are part of the driver's ABI and never change.
_INTEGRATED = 18
_COMPUTE_CAPABILITY_MAJOR = 75
_COMPUTE_CAPABILITY_MINOR = 76


@dataclass(frozen=True)
class Gpu:
    """A CUDA device.

    Attributes:
        name: as the driver prints it.
        compute_capability: such as `8.7`.
        driver_cuda: highest CUDA version of the driver, such as `12.6`.
        memory_mib: its memory; None: the driver would not tell.
        is_integrated: whether it computes in the CPU's memory, as a Jetson's does.
        uuid: such as `GPU-c5b52efe-1efc-ec6d-d75b-0f1fee151bb8`, by which other libraries, which
            count cards in another order, know it; None: the driver would not tell.
    """

    name: str
    compute_capability: str
    driver_cuda: str
    memory_mib: int | None = None
    is_integrated: bool = False
    uuid: str | None = None


def first_gpu() -> Gpu | None:
    """Return the first CUDA device, or None where there is no driver or no device."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, version, major, minor, integrated = (ctypes.c_int() for _ in range(5))
    memory_bytes = ctypes.c_size_t()
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
    cuda.cuDeviceGetAttribute(ctypes.byref(integrated), _INTEGRATED, device)  # 0 if it fails
    uuid = (ctypes.c_ubyte * 16)()
    # Drivers before CUDA 9.2 have no such call.
    named = hasattr(cuda, "cuDeviceGetUuid") and not cuda.cuDeviceGetUuid(
        ctypes.byref(uuid), device
    )
    told = cuda.cuDeviceTotalMem_v2(ctypes.byref(memory_bytes), device) == 0
    return Gpu(
        name=name.value.decode(errors="replace"),
        compute_capability=f"{major.value}.{minor.value}",
        driver_cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
        memory_mib=memory_bytes.value >> 20 if told else None,
        is_integrated=bool(integrated.value),
        uuid=f"GPU-{UUID(bytes=bytes(uuid))}" if named else None,
    )
