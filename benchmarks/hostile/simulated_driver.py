"""The CUDA driver of a board that is not there, as far as `edgesr.boards.gpu` asks it.

A function of the driver writes what it knows through the pointers it is given and returns 0.
"""

import ctypes
from types import SimpleNamespace
from typing import Any

NAME, DRIVER_CUDA = b"Orin", 12060
ATTRIBUTES = {75: 8, 76: 7}
"""Number of an attribute in cuda.h -> its value: the two of the compute capability."""


def driver() -> SimpleNamespace:
    """Return what `ctypes.CDLL("libcuda.so.1")` would give on that board."""
    return SimpleNamespace(
        cuInit=lambda _flags: 0,
        cuDeviceGet=_write,
        cuDriverGetVersion=lambda version: _write(version, DRIVER_CUDA),
        cuDeviceGetName=_write_name,
        cuDeviceGetAttribute=lambda value, number, _: _write(value, ATTRIBUTES.get(number, 0)),
        cuDeviceTotalMem_v2=lambda _memory, _device: 1,  # it fails: this driver does not tell
    )


def _write(pointer: Any, value: int) -> int:
    pointer._obj.value = value
    return 0


def _write_name(buffer: Any, _length: int, _device: Any) -> int:
    buffer.value = NAME
    return 0


class Libraries(ctypes.CDLL):
    """In place of `ctypes.CDLL`: opens every library but the driver's, which is the board's."""

    def __new__(cls, name: str | None, *_arguments: Any, **_options: Any) -> Any:
        """Return the simulated driver, or a library that is opened."""
        return driver() if name == "libcuda.so.1" else super().__new__(cls)
