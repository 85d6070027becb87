"""Loss and gradient of a batch: step by step from Python, or recorded once and replayed on a GPU.

A step of a small network is some thousand short kernels, and launching each from Python takes
longer than running it. A CUDA graph holds them all and is launched at once; the arithmetic is the
same. What DistributedDataParallel sends between GPUs is recorded with it.
"""

import torch
from torch import Tensor, nn

# Batches before the recording: compilation, cuDNN's choice of algorithms, and the first ten of
# DistributedDataParallel, which it times.
WARM_UP = 11


class Gradient:
    """Calls leave the gradient of a batch in the parameters.

    Args:
        objective: batch -> loss; its parameters are those to train.
        record: replay a CUDA graph of the first batch's shapes, which all batches must share.
    """

    def __init__(self, objective: nn.Module, record: bool) -> None:
        self._objective = objective
        self._record = record
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, *batch: Tensor) -> Tensor:
        """Return the loss, a scalar on the device; the next call may overwrite it.

        Args:
            batch: what the objective takes.
        """
        if not self._record:
            return self._run(batch)
        if self._graph is None:
            self._capture(batch)
        for mine, given in zip(self._batch, batch, strict=True):
            mine.copy_(given)
        assert self._graph is not None
        self._graph.replay()
        return self._loss

    def _run(self, batch: tuple[Tensor, ...]) -> Tensor:
        # Without gradients backward makes new tensors: those of a graph, where one is recorded.
        for parameter in self._objective.parameters():
            parameter.grad = None
        loss: Tensor = self._objective(*batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def _capture(self, batch: tuple[Tensor, ...]) -> None:
        self._batch = tuple(part.clone() for part in batch)
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self._run(self._batch)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # NCCL has threads
            self._loss = self._run(self._batch)
        self._graph = graph
