"""One engine on eight of a GPU's multiprocessors: a simulation of an Orin Nano, which has eight.

    python -m benchmarks.tensorrt.eight_sms ENGINE [-o RESULT.json]

The driver's green contexts (CUDA 12.4 and later) give a stream eight multiprocessors and no more.
This is no measurement of a board: another architecture, other caches and another memory lie below.
The clock is read from NVML while the engine runs, and the time is also told as if it grew with the
clock down to the 612 MHz of the board's 7 W mode.
"""

import ctypes
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.commands import errors_in_one_line, parser_of
from edgesr.boards.gpu import first_gpu
from edgesr.engine.cuda_graph import CudaGraph, GraphTimer
from edgesr.errors import EngineError
from edgesr.files import write_json
from edgesr.runtime.cuda_buffers import allocate
from edgesr.runtime.tensorrt_session import TensorRTSession

MULTIPROCESSORS = 8
BOARD_MHZ = 612
_SM = 1  # CU_DEV_RESOURCE_TYPE_SM
_DEFAULT_STREAM = 1  # CU_GREEN_CTX_DEFAULT_STREAM, which is required
_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING, which is required


class Resource(ctypes.Structure):
    """CUdevResource of cuda.h: a kind, padding, and a union of which only the counts are read."""

    _fields_ = (
        ("kind", ctypes.c_int),
        ("padding", ctypes.c_ubyte * 92),
        ("count", ctypes.c_uint),
        ("least", ctypes.c_uint),
        ("alignment", ctypes.c_uint),
        ("rest", ctypes.c_ubyte * 36),
    )


class FewMultiprocessors:
    """A stream whose kernels run on a few multiprocessors; the primary context is current.

    Args:
        wanted: multiprocessors; None: all, on an ordinary stream.

    Attributes:
        handle: of the stream.
        count: multiprocessors it has; the driver may round up.

    Raises:
        EngineError: the driver cannot.
    """

    def __init__(self, wanted: int | None) -> None:
        self._cuda: Any = ctypes.CDLL("libcuda.so.1")
        device, stream = ctypes.c_int(), ctypes.c_void_p()
        self._call("cuCtxGetDevice", ctypes.byref(device))
        everything = Resource()
        self._call("cuDeviceGetDevResource", device, ctypes.byref(everything), _SM)
        if wanted is None:
            self._call("cuStreamCreate", ctypes.byref(stream), _NON_BLOCKING)
            self.count = everything.count
        else:
            part, groups = Resource(), ctypes.c_uint(1)
            self._call(
                "cuDevSmResourceSplitByCount",
                ctypes.byref(part),
                ctypes.byref(groups),
                ctypes.byref(everything),
                None,
                0,
                wanted,
            )
            description, context = ctypes.c_void_p(), ctypes.c_void_p()
            self._call(
                "cuDevResourceGenerateDesc", ctypes.byref(description), ctypes.byref(part), 1
            )
            self._call(
                "cuGreenCtxCreate", ctypes.byref(context), description, device, _DEFAULT_STREAM
            )
            self._call("cuGreenCtxStreamCreate", ctypes.byref(stream), context, _NON_BLOCKING, 0)
            self.count = part.count
        if stream.value is None:
            raise EngineError("the driver gave no stream")
        self.handle = stream.value

    def synchronize(self) -> None:
        """Wait for the stream."""
        self._call("cuStreamSynchronize", ctypes.c_void_p(self.handle))

    def _call(self, name: str, *arguments: object) -> None:
        function = getattr(self._cuda, name, None)
        if function is None:
            raise EngineError(f"this driver has no {name}; green contexts need CUDA 12.5")
        result = function(*arguments)
        if result != 0:
            raise EngineError(f"{name} returned {result}")


def time_engine(session: TensorRTSession, wanted: int | None, launches: int) -> dict[str, Any]:
    """Return the times of an engine's batch on some multiprocessors, and the clock meanwhile."""
    import pynvml

    pynvml.nvmlInit()
    gpu = first_gpu()
    if gpu is None or gpu.uuid is None:
        raise EngineError("the CUDA driver does not name a GPU", fix="edgesr doctor")
    card = pynvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
    manifest, driver = session.manifest, session._driver
    (lr, small), (hr, large) = *manifest.inputs.items(), *manifest.outputs.items()
    values = np.random.default_rng(0).uniform(0, 1, small).astype(np.float32)
    expected = np.array(session.run(values))
    with session._current():
        stream = FewMultiprocessors(wanted)
        source, target = (allocate(driver, shape, is_mapped=False) for shape in (small, large))
        driver.memcpy_htod(source.device, values)

        def execute() -> None:
            session._context.set_tensor_address(lr, int(source.device))
            session._context.set_tensor_address(hr, int(target.device))
            session._execute(stream.handle)

        execute()
        stream.synchronize()
        timer = GraphTimer(stream.handle)

        def enqueue() -> None:
            timer.start()
            execute()
            timer.stop()

        graph = CudaGraph(stream.handle, enqueue)
        times_ms, clocks_mhz = [], []
        for number in range(launches + 100):
            graph.launch()
            stream.synchronize()
            if number < 100:
                continue
            times_ms.append(timer.elapsed_ms())
            if number % 50 == 0:
                clocks_mhz.append(pynvml.nvmlDeviceGetClockInfo(card, pynvml.NVML_CLOCK_SM))
        driver.memcpy_dtoh(target.host, target.device)
        graph.close()
        timer.close()
    return {
        "multiprocessors": stream.count,
        "device_ms": statistics.median(times_ms),
        "device_p90_ms": float(np.percentile(times_ms, 90)),
        "launches": launches,
        "sm_mhz": [min(clocks_mhz), statistics.median(clocks_mhz), max(clocks_mhz)],
        "largest_difference": float(np.abs(target.host - expected).max()),
    }


def main() -> None:
    """Time an engine on eight multiprocessors and on all, and say what it means."""
    parser = parser_of(__doc__)
    parser.add_argument("engine", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--launches", type=int, default=2000)
    args = parser.parse_args()
    with errors_in_one_line():
        session = TensorRTSession(args.engine)
        few = time_engine(session, MULTIPROCESSORS, args.launches)
        whole = time_engine(session, None, args.launches)
    gpu = first_gpu()
    mhz = few["sm_mhz"][1]
    found = {
        "device": None if gpu is None else gpu.name,
        "engine": args.engine.name,
        "eight": few,
        "whole": whole,
        "scaled_to_mhz": BOARD_MHZ,
        "scaled_ms": few["device_ms"] * mhz / BOARD_MHZ,
    }
    if args.output is not None:
        write_json(args.output, found)
    print(
        f"simulation, no board: {args.engine.name} takes {few['device_ms']:.3f} ms on "
        f"{few['multiprocessors']} multiprocessors of {found['device']} at {mhz:.0f} MHz "
        f"({whole['device_ms']:.3f} ms on all {whole['multiprocessors']}); if the time grew with "
        f"the clock alone, {found['scaled_ms']:.2f} ms at {BOARD_MHZ} MHz"
    )


if __name__ == "__main__":
    main()
