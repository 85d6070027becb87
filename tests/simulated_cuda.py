"""A GPU that does its work as late and in as odd an order as streams and events allow.

It stands in for pycuda and TensorRT where there is no GPU: host and device buffers are read and
written only when an operation really runs, so that a missing event or an early reuse of a buffer
gives wrong numbers. Operations of one stream keep their order; between streams only events do.
"""

import random
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import numpy as np


class Gpu:
    """The whole machine: streams, memory, and the network `output = nearest(input) * gain`."""

    def __init__(self, seed=0, scale=4):
        self.random = random.Random(seed)
        self.scale = scale
        self.streams = {}
        self.memory = {}
        self.depth = 0
        self.done = 0
        self.most_in_flight = 0
        self.fail_launch = False
        self.gain = 1.0
        self.is_integrated = False
        self.captured = None

    def step(self):
        """Run one operation of a random stream that is not blocked; return whether there was."""
        ready = [
            queue
            for queue in self.streams.values()
            if queue and (queue[0][0] is None or queue[0][0].done)
        ]
        if not ready:
            return False
        _, action = self.random.choice(ready).pop(0)
        action()
        self.done += 1
        return True

    def run_until(self, finished):
        while not finished():
            if not self.step():
                raise AssertionError("deadlock: a stream waits for what will never happen")

    def drain(self):
        self.run_until(lambda: not any(self.streams.values()))

    def put(self, stream, action, after=None):
        if self.captured is not None:
            self.captured.append(action)
            return
        self.streams[stream.handle].append((after, action))
        self.most_in_flight = max(self.most_in_flight, sum(map(len, self.streams.values())))
        for _ in range(self.random.randrange(3)):  # the GPU works on while the host goes ahead
            self.step()

    def modules(self):
        """Return pycuda, its submodules and tensorrt, by import name."""
        driver = ModuleType("pycuda.driver")
        driver.Stream = lambda: Stream(self)
        driver.Event = lambda flags=0: Event(self, timed=flags == 0)
        driver.event_flags = SimpleNamespace(DEFAULT=0, DISABLE_TIMING=2)
        device = SimpleNamespace(get_attribute={"integrated": self.is_integrated}.get)
        driver.device_attribute = SimpleNamespace(INTEGRATED="integrated")
        driver.Context = SimpleNamespace(
            pop=self.pop, synchronize=self.drain, get_device=lambda: device
        )
        driver.host_alloc_flags = SimpleNamespace(DEVICEMAP=2)
        driver.pagelocked_empty = self.pinned
        driver.mem_alloc = lambda nbytes: Memory(self, nbytes)
        driver.memcpy_htod = lambda target, source: np.copyto(target.data, source.reshape(-1))
        driver.memcpy_htod_async = lambda target, source, stream: self.put(
            stream, lambda: np.copyto(target.data, source.reshape(-1))
        )
        driver.memcpy_dtoh_async = lambda target, source, stream: self.put(
            stream, lambda: np.copyto(target.reshape(-1), source.data)
        )
        driver.module_from_buffer = lambda text: SimpleNamespace(
            get_function=lambda name: Kernel(self, text, name)
        )
        primary = ModuleType("pycuda.autoprimaryctx")
        primary.context = SimpleNamespace(push=self.push)
        package = ModuleType("pycuda")
        package.driver, package.autoprimaryctx = driver, primary
        return {
            "pycuda": package,
            "pycuda.driver": driver,
            "pycuda.autoprimaryctx": primary,
            "tensorrt": self.tensorrt(),
        }

    def pinned(self, shape, dtype, mem_flags=0):
        """Host memory; the network reaches it by address only where it was asked to be mapped."""
        return np.asarray(Pinned(self, shape, dtype, is_mapped=mem_flags == 2))

    def push(self):
        self.depth += 1

    def pop(self):
        self.depth -= 1

    def tensorrt(self):
        trt = ModuleType("tensorrt")
        trt.__version__ = "10.3.0"
        trt.BuilderFlag = SimpleNamespace(FP16=0)
        trt.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
        trt.Logger = SimpleNamespace(ERROR=1, INTERNAL_ERROR=0, WARNING=2)
        trt.ILogger = type("ILogger", (), {"__init__": lambda self: None})
        trt.Runtime = lambda logger: SimpleNamespace(
            deserialize_cuda_engine=lambda plan: None if plan == b"broken" else Engine(self)
        )
        return trt


class Stream:
    def __init__(self, gpu):
        self.gpu = gpu
        self.handle = len(gpu.streams) + 1
        gpu.streams[self.handle] = []

    def synchronize(self):
        self.gpu.run_until(lambda: not self.gpu.streams[self.handle])

    def wait_for_event(self, event):
        self.gpu.put(self, lambda: None, after=event.last)


class Event:
    """Its time is the number of operations the GPU has done."""

    def __init__(self, gpu, timed):
        self.gpu = gpu
        self.timed = timed
        self.last = None

    def record(self, stream):
        token = SimpleNamespace(done=False, time=None)
        self.last = token

        def happen():
            token.done, token.time = True, self.gpu.done

        self.gpu.put(stream, happen)

    def time_since(self, start):
        assert self.timed, "an event without timing"
        assert start.timed, "an event without timing"
        return float(self.last.time - start.last.time)

    def synchronize(self):
        self.gpu.run_until(lambda: self.last.done)


class Memory:
    def __init__(self, gpu, nbytes):
        self.data = np.full(nbytes // 4, np.nan, np.float32)
        self.address = 4096 * (len(gpu.memory) + 1)
        gpu.memory[self.address] = self

    def __int__(self):
        return self.address


class Pinned:
    """What owns page-locked memory; NumPy's array over it has this as its base."""

    def __init__(self, gpu, shape, dtype, is_mapped):
        self.whole = np.full(shape, np.nan, dtype)
        self.__array_interface__ = self.whole.__array_interface__
        self.data = self.whole.reshape(-1)
        self.address = None
        if is_mapped:
            self.address = 4096 * (len(gpu.memory) + 1)
            gpu.memory[self.address] = self

    def get_device_pointer(self):
        assert self.address is not None, "memory that was not asked to be mapped"
        return self.address


class Kernel:
    """The kernel of tile_sums.ptx, which only a real driver can compile."""

    def __init__(self, gpu, text, name):
        assert f".entry {name}(" in text.decode()
        self.gpu = gpu

    def prepare(self, types):
        assert types == "PPI"

    def prepared_async_call(self, grid, block, stream, tiles, sums, count):
        (parts, number), (threads, *_) = grid, block
        source, target = self.gpu.memory[tiles], self.gpu.memory[sums]

        def compute():
            whole = np.zeros((number, -(-count // (parts * threads)) * parts * threads), np.float32)
            whole[:, :count] = source.data.reshape(number, count)
            each = whole.reshape(number, -1, parts, threads)
            target.data[:] = each.sum((1, 3)).reshape(-1)

        self.gpu.put(stream, compute)


class Graph:
    """Records what is put on streams while it is made, and puts all of it there at each launch."""

    def __init__(self, gpu, stream, enqueue):
        self.gpu = gpu
        self.stream = SimpleNamespace(handle=stream)
        gpu.captured = self.actions = []
        try:
            enqueue()
        finally:
            gpu.captured = None

    def launch(self):
        for action in self.actions:
            self.gpu.put(self.stream, action)

    def close(self):
        self.actions = None


class Timer:
    """Time stamps inside a graph; a time is the number of operations the GPU has done."""

    def __init__(self, gpu, stream):
        self.gpu, self.stream, self.times = gpu, SimpleNamespace(handle=stream), {}

    def start(self):
        self.gpu.put(self.stream, lambda: self.times.update(start=self.gpu.done))

    def stop(self):
        self.gpu.put(self.stream, lambda: self.times.update(stop=self.gpu.done))

    def elapsed_ms(self):
        return float(self.times["stop"] - self.times["start"])

    def close(self):
        self.times = None


class Engine:
    def __init__(self, gpu):
        self.gpu = gpu

    def create_execution_context(self):
        return ExecutionContext(self.gpu)


class ExecutionContext:
    """Upscales by repeating pixels; a tile whose first value is 0.5 comes out as NaN."""

    def __init__(self, gpu):
        self.gpu = gpu
        self.addresses = {}

    def set_tensor_address(self, name, address):
        self.addresses[name] = self.gpu.memory[address]

    def execute_async_v3(self, handle):
        if self.gpu.fail_launch:
            return False
        source, target = self.addresses["lr"], self.addresses["hr"]

        def compute():
            tiles = source.data.reshape(2, 3, 8, 8)
            large = tiles.repeat(self.gpu.scale, 2).repeat(self.gpu.scale, 3)
            large[tiles[:, 0, 0, 0] == 0.5] = np.nan
            target.data[:] = large.reshape(-1) * np.float32(self.gpu.gain)

        self.gpu.put(SimpleNamespace(handle=handle), compute)
        return True


def install(monkeypatch, gpu):
    """Put the simulated modules in place of the real ones, and a driver that captures no graphs.

    A real driver, where there is one, must not be given what is simulated.
    """
    from edgesr.engine.cuda_graph import CaptureError
    from edgesr.runtime import tensorrt_session, whole_call

    for name, module in gpu.modules().items():
        module.__spec__ = ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module)

    def refuse(*given):
        raise CaptureError("the simulated driver captures nothing")

    for module, name in (
        (tensorrt_session, "CudaGraph"),
        (whole_call, "CudaGraph"),
        (whole_call, "GraphTimer"),
    ):
        monkeypatch.setattr(module, name, refuse)


def install_graphs(monkeypatch, gpu):
    """Put simulated graphs and their timers in place of those of the CUDA driver."""
    from edgesr.runtime import tensorrt_session, whole_call

    for module in (tensorrt_session, whole_call):
        monkeypatch.setattr(module, "CudaGraph", lambda *given: Graph(gpu, *given))
    monkeypatch.setattr(whole_call, "GraphTimer", lambda stream: Timer(gpu, stream))
