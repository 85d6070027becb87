"""A call of at most one batch as a single launch: copy in, network and copy out in one CUDA graph.

With one batch there is nothing to overlap, so what the pipeline of `tensorrt_session.py` spends on
streams, events and another copy on the host only adds to the latency. Here the output arrives in
the very array that the caller gets; a fresh array of a tile's output would cost about as much as
the network itself, in page faults alone.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgesr.engine.cuda_graph import CudaGraph, GraphTimer
from edgesr.runtime.cuda_buffers import BufferPair
from edgesr.runtime.tile_sums import Enlarged, TileSums

LANES = 2
"""A caller that keeps one output while it asks for the next (`y = run(x)` in a loop) needs two."""


@dataclass
class Lane:
    """Buffers of one call and the graph that is recorded on them.

    Attributes:
        source: the input.
        target: the output; its host array is given to the caller.
        sums: of the output; None: they are not taken.
        graph: copies and network.
        timer: of the network inside the graph.
        references: to the host array of `target` while no caller holds it.
    """

    source: BufferPair
    target: BufferPair
    sums: TileSums | None
    graph: CudaGraph
    timer: GraphTimer
    references: int

    @property
    def is_held(self) -> bool:
        """Whether a caller holds an output or a view of one; NumPy's views hold the array."""
        return sys.getrefcount(self.target.host) > self.references


class WholeCall:
    """Calls of up to one batch on a stream.

    Args:
        driver: pycuda's driver module.
        stream: pycuda's stream, idle.
        pairs: makes buffers: (input, output).
        sums: makes what takes the sums of an output, or None.
        execute: runs the network once between two device addresses, on that stream.

    Raises:
        EngineError: the driver cannot record it; everything is as it was.
        OSError: there is no CUDA driver.
    """

    def __init__(
        self,
        driver: Any,
        stream: Any,
        pairs: Callable[[], tuple[BufferPair, BufferPair]],
        sums: Callable[[BufferPair], TileSums | None],
        execute: Callable[[int, int], None],
    ) -> None:
        self._driver, self._stream, self._sums, self._execute = driver, stream, sums, execute
        self._lanes: list[Lane] = []
        self._latest: Lane | None = None
        try:
            for _ in range(LANES):
                self._lanes.append(self._lane(*pairs()))
        except BaseException:
            self.close()
            raise

    def run(self, tiles: NDArray[np.float32]) -> Enlarged | None:
        """Upscale (n, 3, tile, tile) tiles, n from 1 to batch; see `TensorRTSession.run`.

        Returns:
            The output, in memory that is used again once nobody holds it, and the sum of each
            tile if they are taken; None: callers hold all memory.
        """
        lane = next((lane for lane in self._lanes if not lane.is_held), None)
        if lane is None:
            return None
        count = len(tiles)
        lane.source.host[:count] = tiles
        if count < len(lane.source.host):
            lane.source.host[count:] = 0
        lane.graph.launch()
        self._stream.synchronize()
        self._latest = lane
        return lane.target.host[:count], None if lane.sums is None else lane.sums.of_first(count)

    def device_ms(self) -> float:
        """Return the network's time in the latest call, copies not counted; 0.0 before the first.

        The driver is asked only now, which takes longer than to start a call.
        """
        return 0.0 if self._latest is None else self._latest.timer.elapsed_ms()

    def close(self) -> None:
        """Free graphs and buffers; an output that a caller holds stays."""
        self._latest = None
        while self._lanes:
            lane = self._lanes.pop()
            lane.graph.close()
            lane.timer.close()

    def _lane(self, source: BufferPair, target: BufferPair) -> Lane:
        stream = self._stream
        source.host[...] = 0
        sums = self._sums(target)

        def take_sums() -> None:
            if sums is not None:
                sums.enqueue(stream)

        self._execute(int(source.device), int(target.device))  # what is lazy is done before
        take_sums()
        stream.synchronize()
        timer = GraphTimer(stream.handle)

        def enqueue() -> None:
            source.upload(self._driver, stream)
            timer.start()
            self._execute(int(source.device), int(target.device))
            timer.stop()
            take_sums()
            target.download(self._driver, stream)

        try:
            graph = CudaGraph(stream.handle, enqueue)
        except BaseException:
            timer.close()
            raise
        lane = Lane(source, target, sums, graph, timer, references=sys.maxsize)
        graph.launch()
        stream.synchronize()
        timer.elapsed_ms()  # a driver that cannot tell it is found out now
        lane.references = sys.getrefcount(lane.target.host)
        return lane
