"""How much memory libjxl may take for a picture.

A file of a few hundred bytes may hold frames that are far larger than the picture, which are drawn
in part only. So it is not the size of the picture alone that bounds the memory, but who gives it.
"""

import ctypes

from edgesr.imaging.libjxl import Allocate, Free, MemoryManager


class Budget:
    """Memory for libjxl, up to a limit."""

    def __init__(self, most_bytes: int) -> None:
        """Give at most so many bytes at one time."""
        self.exceeded = False
        """Whether more was asked for."""
        self.most_bytes, self._taken = most_bytes, 0
        self._sizes: dict[int, int] = {}
        self._libc = ctypes.CDLL(None)
        self._libc.malloc.argtypes, self._libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
        self._libc.free.argtypes = (ctypes.c_void_p,)
        # libjxl keeps a copy, which is of use only as long as the two functions here live.
        self.manager = MemoryManager(None, Allocate(self._allocate), Free(self._free))

    def _allocate(self, _: int | None, size: int) -> int | None:
        if self._taken + size > self.most_bytes:
            self.exceeded = True
            return None
        address: int | None = self._libc.malloc(size)
        if address is None:
            self.exceeded = True
            return None
        self._sizes[address] = size
        self._taken += size
        return address

    def _free(self, _: int | None, address: int | None) -> None:
        if address is not None:
            self._taken -= self._sizes.pop(address)
            self._libc.free(address)
