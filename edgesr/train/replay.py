"""Work on tensors of fixed shapes: launched from Python, or recorded once and replayed on a GPU.

What a step does to a batch is some thousand short kernels, and launching each from Python takes
longer than running it. A CUDA graph holds them all and is launched at once; the arithmetic is the
same. What DistributedDataParallel sends between GPUs is recorded with it.
"""

from collections.abc import Callable

import torch
from torch import Tensor


class Replay:
    """Calls do what `work` does.

    Args:
        work: tensors -> tensor; on a device it must neither wait for it nor copy from ordinary
            memory, and may leave other results where it finds them again.
        record: replay a CUDA graph of the first call's shapes, which all calls must share.
        warm_up: calls before the recording, in which kernels are compiled and algorithms chosen.
    """

    def __init__(self, work: Callable[..., Tensor], record: bool, warm_up: int) -> None:
        self._work, self._record, self._warm_up = work, record, warm_up
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return what `work` returns; the next call may overwrite it."""
        if not self._record:
            return self._work(*inputs)
        if self._graph is None:
            self._graph = self._capture(inputs)
        for mine, given in zip(self._inputs, inputs, strict=True):
            mine.copy_(given)
        self._graph.replay()
        return self._result

    def _capture(self, inputs: tuple[Tensor, ...]) -> torch.cuda.CUDAGraph:
        self._inputs = tuple(part.clone() for part in inputs)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(self._warm_up):
                self._work(*self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # NCCL has threads
            self._result = self._work(*self._inputs)
        return graph
