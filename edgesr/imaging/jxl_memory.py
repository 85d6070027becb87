"""How much memory libjxl may take for a picture.

A file of a few kilobytes may hold frames that are far larger than the picture, and many of them,
which are drawn in part only. So the size of the picture bounds neither memory nor time; what gives
out the memory bounds both, since a frame takes some before it takes time.
"""

import ctypes

from edgesr.imaging.libjxl import Allocate, Free, MemoryManager

ANEW = 8
"""How often all of the memory may be given out anew; a picture of many layers takes it so often."""


class Budget:
    """Memory for libjxl, up to a limit."""

    def __init__(self, most_bytes: int) -> None:
        """Give at most so many bytes at one time, and `ANEW` times as many in all."""
        self.most_bytes = most_bytes
        """What may be taken at one time."""
        self.exceeded = False
        """Whether more was asked for, or the machine had no more."""
        self._taken, self._left = 0, ANEW * most_bytes
        self._sizes: dict[int, int] = {}
        self._libc = ctypes.CDLL(None)
        self._libc.malloc.argtypes, self._libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
        self._libc.free.argtypes = (ctypes.c_void_p,)
        # libjxl keeps a copy, which is of use only as long as the two functions here live.
        self.manager = MemoryManager(None, Allocate(self._allocate), Free(self._free))

    def _allocate(self, _: int | None, size: int) -> int | None:
        is_too_much = self._taken + size > self.most_bytes or size > self._left
        address: int | None = None if is_too_much else self._libc.malloc(size)
        if address is None:
            self.exceeded = True
            return None
        self._sizes[address] = size
        self._taken += size
        self._left -= size
        return address

    def _free(self, _: int | None, address: int | None) -> None:
        if address is not None:
            self._taken -= self._sizes.pop(address)
            self._libc.free(address)
