"""Networks in TensorRT: buffers by pycuda, copies beside the compute, CUDA graphs.

A call of at most one batch is one launch (whole_call.py). Of a longer call, work goes round two
slots, each with pinned host and device buffers of one batch. While the GPU computes on one slot,
the other's input is copied in and the previous output out, on streams of their own; events keep the
order. Where the GPU shares the CPU's memory nothing is copied. docs/jetson.md says what has run.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.artifacts import home
from edgesr.artifacts.plugin import load_library
from edgesr.engine.cuda_graph import CaptureError, CudaGraph, execution_context
from edgesr.engine.find import ReadEngine, read_engine
from edgesr.engine.stack import find_stack
from edgesr.errors import EngineError, shell
from edgesr.runtime.cuda_buffers import BufferPair, allocate, import_pycuda, shares_memory
from edgesr.runtime.guard import fault
from edgesr.runtime.session import Session
from edgesr.runtime.slot import Slot
from edgesr.runtime.tile_sums import Enlarged, TileSums, load_kernel
from edgesr.runtime.whole_call import WholeCall

SLOTS = 2


class TensorRTSession:
    """An engine, `edgesr.runtime.session.Session`.

    Args:
        engine: the .engine file, whose manifest lies beside it; or one that was read already.
        repeat: opens the same network in float32; a tile that comes out broken is computed again by
            it. None: such a tile is an error.
        use_graph: record the computation as a CUDA graph where that is possible.

    Attributes:
        manifest: of the engine.
        graph: how launches are saved: `cuda graph`, `runtime` (TensorRT's own capture) or `none`.
        repeated: tiles that were computed again so far.

    Raises:
        MissingError: TensorRT or pycuda is not installed.
        EngineError: the engine does not fit its manifest or this machine, or cannot be loaded.
    """

    backend = "tensorrt"

    def __init__(
        self,
        engine: Path | ReadEngine,
        repeat: Callable[[], Session] | None = None,
        use_graph: bool = True,
    ) -> None:
        read = engine if isinstance(engine, ReadEngine) else read_engine(engine)
        self.manifest = read.manifest
        self.model = self.manifest.network
        self.scale = self.manifest.scale
        self.tile: int | None = self.manifest.tile
        self.batch: int | None = self.manifest.batch
        self.graph = "none"
        self.repeated = 0
        self._slots_ms = 0.0
        self._by_whole_call = False
        self._where = read.path
        self._open_repeat = repeat
        self._fp32: Session | None = None
        self._lock = threading.Lock()
        self._repairing = threading.Lock()
        self._stack = find_stack((self.manifest.tensorrt_module,))
        self._driver, self._primary = import_pycuda()
        (self._input,) = self.manifest.inputs
        (self._output,) = self.manifest.outputs
        self._slots: list[Slot] = []
        self._whole: WholeCall | None = None
        self._sum_kernel: Any = None
        self._runtime: Any = None
        self._engine: Any = None
        self._context: Any = None
        with self._current():
            self._load(read.content)
            self._upload, self._compute, self._download = (self._driver.Stream() for _ in range(3))
            self._is_mapped = shares_memory(self._driver)
            if self.manifest.computes_in_half:
                self._sum_kernel = load_kernel(self._driver)
            self._slots = [self._slot() for _ in range(SLOTS)]
            self._start(use_graph)

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        """Upscale tiles: (n, 3, h, w) RGB in [0, 1] -> (n, 3, scale*h, scale*w), not clipped.

        Any number of tiles is taken; the last batch is filled up with zeros. The output may lie in
        pinned memory, which is used again once neither it nor a view of it is held any more.

        Raises:
            EngineError: wrong tile size, a failed launch, or a broken tile that cannot be repeated.
                That is looked at where the engine computes in half precision.
        """
        side = self.manifest.tile
        if tiles.ndim != 4 or tiles.shape[1:] != (3, side, side):
            raise EngineError(
                f"it takes tiles of 3x{side}x{side}, not {'x'.join(map(str, tiles.shape[1:]))}",
                where=self._where,
            )
        with self._lock, self._current():
            try:
                enlarged, sums = self._upscale(np.asarray(tiles, np.float32))
            except BaseException:  # nothing may still read or write the buffers
                self._driver.Context.synchronize()
                raise
        if sums is not None:
            with self._repairing:
                self._repair(tiles, enlarged, sums)
        return enlarged

    @property
    def device_ms(self) -> float:
        """Time the GPU computed in the latest call, copies not counted."""
        if self._whole is None or not self._by_whole_call:
            return self._slots_ms
        with self._lock, self._current():
            return self._whole.device_ms()

    def close(self) -> None:
        """Free graphs, buffers and engine; the primary context stays with the process."""
        self._slots_ms = self.device_ms
        with self._lock, self._current():
            self._driver.Context.synchronize()
            if self._whole is not None:
                self._whole.close()
                self._whole = None
            while self._slots:
                slot = self._slots.pop()
                if slot.graph is not None:
                    slot.graph.close()
            self._context = self._engine = self._runtime = None
        if self._fp32 is not None:
            self._fp32.close()

    @contextmanager
    def _current(self) -> Iterator[None]:
        """Make the primary context current in this thread while the block runs."""
        self._primary.push()
        try:
            yield
        finally:
            self._driver.Context.pop()

    def _load(self, plan: bytes) -> None:
        plugin = self.manifest.plugin
        if plugin is not None:
            again = self.manifest.rebuild_command(self._where)
            load_library(home.plugins() / plugin.file, plugin.source_sha256, again)
        self._logger, self._messages = self._stack.logger()
        self._runtime = self._stack.module.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineError(
                f"TensorRT cannot load it ({self._messages.last_error()})",
                where=self._where,
                fix=self.manifest.rebuild_command(self._where),
            )

    def _start(self, use_graph: bool) -> None:
        """Make the execution context, run each slot once, and record it if that is possible."""
        self._context, by_runtime = execution_context(self._stack.module, self._engine, use_graph)
        if self._context is None:
            raise EngineError(
                f"no memory to run it ({self._messages.last_error()})",
                where=self._where,
                fix="close other programs, or build with a smaller --batch",
            )
        self.graph = "runtime" if by_runtime else "cuda graph" if use_graph else "none"
        for slot in self._slots:
            self._enqueue(slot)  # what is initialised lazily must be so before a capture
            self._compute.synchronize()
            if self.graph == "cuda graph":
                self._capture(slot)
        if self.graph == "cuda graph":
            with suppress(EngineError, OSError):  # without it such calls go through the slots
                self._whole = WholeCall(
                    self._driver, self._compute, self._pairs, self._sums, self._between
                )

    def _slot(self) -> Slot:
        driver = self._driver
        source, target = self._pairs()
        source.host[...] = 0
        quick, timed = driver.event_flags.DISABLE_TIMING, driver.event_flags.DEFAULT
        events = [driver.Event(flags) for flags in (quick, timed, timed, quick)]
        source.upload(driver, self._compute)
        return Slot(source, target, self._sums(target), *events)

    def _pairs(self) -> tuple[BufferPair, BufferPair]:
        shapes = self.manifest.inputs[self._input], self.manifest.outputs[self._output]
        source, target = (allocate(self._driver, shape, self._is_mapped) for shape in shapes)
        return source, target

    def _sums(self, output: BufferPair) -> TileSums | None:
        if self._sum_kernel is None:
            return None
        return TileSums(self._driver, self._sum_kernel, output)

    def _capture(self, slot: Slot) -> None:
        """Record the computation just run on a slot; without graphs all works as before."""
        stream = self._compute.handle
        capturable = getattr(self._context, "is_stream_capturable", lambda stream: True)
        try:
            if not capturable(stream):
                raise CaptureError("TensorRT says that this engine cannot be captured")
            slot.graph = CudaGraph(stream, lambda: self._execute(stream))
        except (EngineError, OSError):
            self.graph = "none"

    def _between(self, source: int, target: int) -> None:
        """Put the computation from one device address to another on the compute stream."""
        self._context.set_tensor_address(self._input, source)
        self._context.set_tensor_address(self._output, target)
        self._execute(self._compute.handle)

    def _execute(self, stream: int) -> None:
        if not self._context.execute_async_v3(stream):
            raise EngineError(
                f"TensorRT could not launch it ({self._messages.last_error()})", where=self._where
            )

    def _enqueue(self, slot: Slot) -> None:
        """Put the computation on a slot's buffers on the compute stream."""
        if slot.graph is not None:
            slot.graph.launch()
        else:
            self._between(int(slot.source.device), int(slot.target.device))
        if slot.sums is not None:
            slot.sums.enqueue(self._compute)

    def _upscale(self, tiles: NDArray[np.float32]) -> Enlarged:
        if self._whole is not None and 0 < len(tiles) <= self.manifest.batch:
            found = self._whole.run(tiles)
            if found is not None:
                self._by_whole_call = True
                return found
        large = self.manifest.tile * self.scale
        enlarged = np.empty((len(tiles), 3, large, large), np.float32)
        sums = None if self._sum_kernel is None else np.empty(len(tiles), np.float32)
        self._pipeline(tiles, (enlarged, sums))
        return enlarged, sums

    def _pipeline(self, tiles: NDArray[np.float32], enlarged: Enlarged) -> None:
        """Run all tiles through the slots, batch by batch; see the module's docstring."""
        self._slots_ms, self._by_whole_call = 0.0, False
        batch = self.manifest.batch
        starts = range(0, len(tiles), batch)
        for number, start in enumerate(starts):
            slot = self._slots[number % SLOTS]
            if number >= SLOTS:
                self._slots_ms += slot.collect(enlarged, start - SLOTS * batch)
            part = tiles[start : start + batch]
            slot.source.host[: len(part)] = part
            slot.source.host[len(part) :] = 0
            slot.source.upload(self._driver, self._upload)
            slot.uploaded.record(self._upload)
            self._compute.wait_for_event(slot.uploaded)
            slot.started.record(self._compute)
            self._enqueue(slot)
            slot.computed.record(self._compute)
            self._download.wait_for_event(slot.computed)
            slot.target.download(self._driver, self._download)
            slot.downloaded.record(self._download)
        for number, start in list(enumerate(starts))[-SLOTS:]:
            self._slots_ms += self._slots[number % SLOTS].collect(enlarged, start)

    def _repair(
        self, tiles: NDArray[np.float32], enlarged: NDArray[np.float32], sums: NDArray[np.float32]
    ) -> None:
        """Compute tiles again in float32 that came out as NaN, infinite or black."""
        for number, (tile, large) in enumerate(zip(tiles, enlarged, strict=True)):
            wrong = fault(tile, large, float(sums[number]))
            if wrong is None:
                continue
            if self._open_repeat is None:
                raise EngineError(
                    f"tile {number} {wrong}",
                    where=self._where,
                    fix=f"edgesr verify -m {shell(self._where)}",
                )
            if self._fp32 is None:
                self._fp32 = self._open_repeat()
            count = self._fp32.batch or 1
            large[...] = self._fp32.run(np.repeat(tile[None], count, axis=0))[0]
            self.repeated += 1
