"""A bound on the memory that ONNX Runtime takes for a network on the CPU.

A graph of three hundred bytes may fill a tensor of any size. What ONNX Runtime takes by way of its
arena can be bounded, by an arena that sessions share; each session is given one of its own here.
"""

from dataclasses import dataclass
from typing import Any

from edgesr.onnx_runtime import import_onnxruntime

_BASE_BYTES = 256 << 20
_PIXEL_BYTES = 64 << 10  # of an input tile; the student takes 2.7 kB
_VALUE_BYTES = 3 * 4  # of a pixel: three float32
_SHARE = 0.9  # of what is free: the rest of the process, and others, need some
_COPIES = 4  # of the weights: the file's, and those that are laid out anew for a processor


@dataclass(frozen=True)
class MemoryLimit:
    """The most memory that a network may take.

    Attributes:
        bytes: that many.
        is_machines: it is what this machine has free, which is less than its size would allow.
    """

    bytes: int
    is_machines: bool


def memory_limit(pixels: int, content_bytes: int, available_bytes: int | None) -> MemoryLimit:
    """Return the most memory that a network may take.

    Args:
        pixels: of all input tiles that are worked on at the same time.
        content_bytes: size of the ONNX file.
        available_bytes: what this machine has free; None: unknown.
    """
    least = _BASE_BYTES + _COPIES * content_bytes
    most = least + _PIXEL_BYTES * pixels
    if available_bytes is None or most <= _SHARE * available_bytes:
        return MemoryLimit(most, is_machines=False)
    return MemoryLimit(max(least, int(_SHARE * available_bytes)), is_machines=True)


def least_bytes(pixels: int, scale: int) -> int:
    """Return what any network takes for a call: its input and its result, in float32.

    Args:
        pixels: of the input tiles of a call.
        scale: of the network.
    """
    return _VALUE_BYTES * pixels * (1 + scale**2)


def bound(options: Any, limit: MemoryLimit) -> None:
    """Make the next session of these `onnxruntime.SessionOptions` take no more than `limit`.

    A later call gives the session after it another arena; those that are open keep theirs. Old
    versions (1.19, for one) take one arena a process, so only the first session is bounded there.
    """
    ort = import_onnxruntime()
    kind, use = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, ort.OrtMemType.DEFAULT
    as_asked = 1  # extends the arena by what is needed, not to the next power of two
    arena = ort.OrtArenaCfg({"max_mem": limit.bytes, "arena_extend_strategy": as_asked})
    try:
        ort.create_and_register_allocator(ort.OrtMemoryInfo("Cpu", kind, 0, use), arena)
    except RuntimeError:  # there is one already
        return
    options.add_session_config_entry("session.use_env_allocators", "1")


def is_exceeded(error: Exception) -> bool:
    """Tell whether ONNX Runtime failed at the bound."""
    return "is smaller than requested bytes" in str(error)
