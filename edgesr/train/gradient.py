"""Loss and gradient of a batch: step by step from Python, or recorded and replayed on a GPU."""

from torch import Tensor, nn

from edgesr.train.replay import Replay

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
        self._run = Replay(self._backward, record, WARM_UP)

    def __call__(self, *batch: Tensor) -> Tensor:
        """Return the loss, a scalar on the device; the next call may overwrite it.

        Args:
            batch: what the objective takes.
        """
        return self._run(*batch)

    def _backward(self, *batch: Tensor) -> Tensor:
        # Without gradients backward makes new tensors: those of a graph, where one is recorded.
        for parameter in self._objective.parameters():
            parameter.grad = None
        loss: Tensor = self._objective(*batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()
