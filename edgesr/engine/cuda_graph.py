"""Record what a stream does once, launch it again as a whole: CUDA graphs of the driver API.

At batch 1 a small network is bound by the time its launches take, not by their arithmetic; a graph
is one launch. pycuda (2025.1) wraps no graph calls, so the driver is called directly; a stream's
handle is the same in both.
"""

import ctypes
from collections.abc import Callable

from edgesr.errors import EngineError

# CUstreamCaptureMode of cuda.h: calls of other threads do not disturb the capture.
_THREAD_LOCAL = 1


class CaptureError(EngineError):
    """The driver would not capture, instantiate or launch a graph."""


class CudaGraph:
    """An instantiated graph.

    Args:
        stream: handle of a stream that is not the default one.
        enqueue: puts work on that stream and waits for nothing; must have run once before, because
            what a library initialises lazily cannot be captured.

    Raises:
        CaptureError: the driver refused; the stream is usable again.
        OSError: there is no CUDA driver.
    """

    def __init__(self, stream: int, enqueue: Callable[[], None]) -> None:
        self._cuda = ctypes.CDLL("libcuda.so.1")
        self._stream = ctypes.c_void_p(stream)
        self._executable = ctypes.c_void_p()
        graph = ctypes.c_void_p()
        self._call("cuStreamBeginCapture_v2", self._stream, _THREAD_LOCAL)
        try:
            enqueue()
        finally:  # ends the capture in any case, or the stream would stay unusable
            ended = self._cuda.cuStreamEndCapture(self._stream, ctypes.byref(graph))
        if ended != 0 or not graph:
            raise CaptureError(f"cuStreamEndCapture returned {ended}")
        try:
            self._call(
                "cuGraphInstantiateWithFlags",
                ctypes.byref(self._executable),
                graph,
                ctypes.c_ulonglong(0),
            )
        finally:
            self._cuda.cuGraphDestroy(graph)

    def launch(self) -> None:
        """Put the whole graph on the stream.

        Raises:
            CaptureError: the driver refused.
        """
        self._call("cuGraphLaunch", self._executable, self._stream)

    def close(self) -> None:
        """Free the graph; the stream must be idle."""
        if self._executable:
            self._cuda.cuGraphExecDestroy(self._executable)
            self._executable = ctypes.c_void_p()

    def _call(self, name: str, *arguments: object) -> None:
        """Call a function of the driver; anything but CUDA_SUCCESS raises."""
        result = getattr(self._cuda, name)(*arguments)
        if result != 0:
            raise CaptureError(f"{name} returned {result}")
