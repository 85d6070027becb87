"""Record what a stream does once, launch it again as a whole: CUDA graphs of the driver API.

At batch 1 a small network is bound by the time its launches take, not by their arithmetic; a graph
is one launch. pycuda (2025.1) wraps no graph calls, so the driver is called directly; a stream's
handle is the same in both.
"""

import ctypes
from collections.abc import Callable
from typing import Any

from edgesr.errors import EngineError

# CUstreamCaptureMode of cuda.h: calls of other threads do not disturb the capture.
_THREAD_LOCAL = 1
# CU_EVENT_RECORD_EXTERNAL: a recorded event becomes a node that stamps the time at each launch.
_EXTERNAL = 1


class CaptureError(EngineError):
    """The driver would not capture, instantiate or launch a graph."""


class CudaGraph:
    """A CUDA graph that can be launched.

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
        _call(self._cuda, "cuStreamBeginCapture_v2", self._stream, _THREAD_LOCAL)
        try:
            enqueue()
        finally:  # ends the capture in any case, or the stream would stay unusable
            ended = self._cuda.cuStreamEndCapture(self._stream, ctypes.byref(graph))
        if ended != 0 or not graph:
            raise CaptureError(f"cuStreamEndCapture returned {ended}")
        try:
            _call(
                self._cuda,
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
        _call(self._cuda, "cuGraphLaunch", self._executable, self._stream)

    def close(self) -> None:
        """Free the graph; the stream must be idle."""
        if self._executable:
            self._cuda.cuGraphExecDestroy(self._executable)
            self._executable = ctypes.c_void_p()


class GraphTimer:
    """Times a stretch inside a graph, at every launch of it.

    Args:
        stream: handle of the stream that is captured.

    Raises:
        CaptureError: the driver refused, or is older than CUDA 11.1 and cannot do it.
        OSError: there is no CUDA driver.
    """

    def __init__(self, stream: int) -> None:
        self._cuda = ctypes.CDLL("libcuda.so.1")
        self._stream = ctypes.c_void_p(stream)
        self._events: list[ctypes.c_void_p] = []
        for _ in range(2):
            event = ctypes.c_void_p()
            _call(self._cuda, "cuEventCreate", ctypes.byref(event), 0)
            self._events.append(event)

    def start(self) -> None:
        """Put the beginning of the stretch into the capture."""
        self._record(0)

    def stop(self) -> None:
        """Put the end of the stretch into the capture."""
        self._record(1)

    def elapsed_ms(self) -> float:
        """Return the stretch's time in the latest launch, which must have ended."""
        elapsed = ctypes.c_float()
        _call(self._cuda, "cuEventElapsedTime", ctypes.byref(elapsed), *self._events)
        return elapsed.value

    def close(self) -> None:
        """Free the events."""
        while self._events:
            self._cuda.cuEventDestroy_v2(self._events.pop())

    def _record(self, which: int) -> None:
        _call(self._cuda, "cuEventRecordWithFlags", self._events[which], self._stream, _EXTERNAL)


def _call(cuda: ctypes.CDLL, name: str, *arguments: object) -> None:
    """Call a function of the driver.

    Raises:
        CaptureError: it returned anything but CUDA_SUCCESS, or this driver does not have it.
    """
    function = getattr(cuda, name, None)
    if function is None:
        raise CaptureError(f"this CUDA driver has no {name}")
    result = function(*arguments)
    if result != 0:
        raise CaptureError(f"{name} returned {result}")


def execution_context(trt: Any, engine: Any, use_graph: bool) -> tuple[Any, bool]:
    """Return an execution context, and whether TensorRT itself replays it as a CUDA graph."""
    if use_graph and hasattr(trt, "CudaGraphStrategy") and hasattr(engine, "create_runtime_config"):
        config = engine.create_runtime_config()
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        return engine.create_execution_context(config), True
    return engine.create_execution_context(), False
