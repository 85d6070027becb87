"""What the pipeline of `tensorrt_session.py` keeps of one batch in flight."""

from dataclasses import dataclass
from typing import Any

from edgesr.engine.cuda_graph import CudaGraph
from edgesr.runtime.cuda_buffers import BufferPair
from edgesr.runtime.tile_sums import Enlarged, TileSums


@dataclass
class Slot:
    """Buffers and events of one batch in flight.

    Attributes:
        source: (batch, 3, tile, tile).
        target: (batch, 3, scale*tile, scale*tile).
        sums: of `target`; None: they are not taken.
        uploaded: set when the input is on the device.
        started: set when the computation begins.
        computed: set when the output is there.
        downloaded: set when the output is in host memory.
        graph: the recorded computation on these buffers; None: enqueued each time.
    """

    source: BufferPair
    target: BufferPair
    sums: TileSums | None
    uploaded: Any
    started: Any
    computed: Any
    downloaded: Any
    graph: CudaGraph | None = None

    def collect(self, enlarged: Enlarged, start: int) -> float:
        """Wait for the output; copy it and its sums to their place, from tile `start` on.

        Returns:
            Time the GPU computed, in milliseconds.
        """
        tiles, sums = enlarged
        self.downloaded.synchronize()
        part = tiles[start : start + len(self.target.host)]
        part[...] = self.target.host[: len(part)]
        if sums is not None and self.sums is not None:
            sums[start : start + len(part)] = self.sums.of_first(len(part))
        return float(self.computed.time_since(self.started))
