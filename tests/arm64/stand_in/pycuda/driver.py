"""A stand-in for pycuda on a GPU that shares the CPU's memory and has done all work at once."""

import time
from types import SimpleNamespace

import numpy as np

event_flags = SimpleNamespace(DEFAULT=0, DISABLE_TIMING=2)
host_alloc_flags = SimpleNamespace(DEVICEMAP=2)
device_attribute = SimpleNamespace(INTEGRATED=18)
_DEVICE = SimpleNamespace(get_attribute={device_attribute.INTEGRATED: 1}.get)
Context = SimpleNamespace(pop=lambda: None, synchronize=lambda: None, get_device=lambda: _DEVICE)


class Stream:
    handle = 1

    def synchronize(self):
        pass

    def wait_for_event(self, event):
        pass


class Event:
    def __init__(self, flags=0):
        self.time_s = None

    def record(self, stream):
        self.time_s = time.perf_counter()

    def time_since(self, start):
        return 1e3 * (self.time_s - start.time_s)

    def synchronize(self):
        pass


class Pinned:
    """What owns page-locked memory, which the GPU reaches at the same address."""

    def __init__(self, shape, dtype):
        self.memory = np.zeros(shape, dtype)
        self.__array_interface__ = self.memory.__array_interface__

    def get_device_pointer(self):
        return self.memory.ctypes.data


def pagelocked_empty(shape, dtype, mem_flags=0):
    assert mem_flags == host_alloc_flags.DEVICEMAP
    return np.asarray(Pinned(shape, dtype))
