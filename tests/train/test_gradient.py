import pytest
import torch
from torch import Tensor

from edgesr.models.network import SRNetwork
from edgesr.models.registry import get_network
from edgesr.scan import fused_launch
from edgesr.scan.fused import stay_out_of_graphs
from edgesr.train.gradient import Gradient
from edgesr.train.losses import LOSSES, Objective

PATCH, SCALE, BATCH = 16, 4, 2

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


def network(device: str) -> SRNetwork:
    torch.manual_seed(0)
    return get_network("mambalitesr:D16-G1-B2-N4-SKIP").module(SCALE).to(device)


def batches(device: str) -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(1)

    def picture(side: int) -> Tensor:
        return torch.rand(BATCH, 3, side, side, generator=draw).to(device)

    return [(picture(PATCH), picture(PATCH * SCALE)) for _ in range(3)]


def gradients(
    device: str, record: bool, compiled: bool = False
) -> list[tuple[float, list[Tensor]]]:
    trained = network(device)
    objective = Objective(trained, LOSSES["l1"], "fp32")
    if compiled:
        objective.compile()
    gradient = Gradient(objective, record)
    found = []
    for lr, hr in batches(device):
        loss = gradient(lr, hr).item()
        found.append((loss, [p.grad.clone() for p in trained.parameters() if p.grad is not None]))
        torch.nn.utils.clip_grad_norm_(trained.parameters(), 1e-3)  # as the loop does, in place
    return found


def test_each_call_leaves_the_gradient_of_its_own_batch() -> None:
    trained = network("cpu")
    for (lr, hr), (loss, found) in zip(batches("cpu"), gradients("cpu", False), strict=True):
        want = torch.nn.functional.l1_loss(trained(lr), hr)
        torch.testing.assert_close(loss, want.item())
        true = torch.autograd.grad(want, list(trained.parameters()))
        torch.testing.assert_close(found, list(true))


@needs_gpu
@pytest.mark.parametrize("compiled", [False, True])
def test_gpu_replayed_or_compiled_it_is_the_same(
    compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = gradients("cuda", False)
    monkeypatch.setattr(fused_launch, "forward", fused_launch.forward)  # put back at the end
    if compiled:
        stay_out_of_graphs()
    others = gradients("cuda", record=not compiled, compiled=compiled)
    for (loss, found), (want, true) in zip(others, plain, strict=True):
        assert loss == pytest.approx(want, rel=1e-5)
        for got, expected in zip(found, true, strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-6)
