from pathlib import Path

import pytest
import torch
from torch import Tensor

from edgesr.models.local_norm import Locality
from edgesr.models.network import SRNetwork
from edgesr.models.registry import get_network
from edgesr.train.config import Distillation
from edgesr.train.gradient import Gradient
from edgesr.train.losses import LOSSES, Objective

PATCH, SCALE, BATCH = 16, 4, 2


RASTER = "mambalitesr:D16-G1-B2-N4-SKIP"
TURNED = "mambalitesr:D16-G2-B2-N1-SKIP-TURN-C3"  # all four directions, and locality


def network(device: str, name: str = RASTER) -> SRNetwork:
    torch.manual_seed(0)
    built = get_network(name).module(SCALE)
    for part in built.modules():
        if isinstance(part, Locality):  # which begins at zero, and then passes on no gradient
            torch.nn.init.normal_(part.weight, std=0.1)
    return built.to(device)


def batches(device: str) -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(1)

    def picture(side: int) -> Tensor:
        return torch.rand(BATCH, 3, side, side, generator=draw).to(device)

    return [(picture(PATCH), picture(PATCH * SCALE)) for _ in range(3)]


def objective(
    trained: SRNetwork, taught_by: str | None, device: str, precision: str = "fp32"
) -> Objective:
    if taught_by is None:
        return Objective(trained, LOSSES["l1"], precision)
    teacher = get_network(taught_by).module(SCALE).to(device).eval().requires_grad_(False)
    told = Distillation(Path("teacher"), alpha=0.5, feature_affinity=0.1)
    return Objective(trained, LOSSES["l1"], "fp32", teacher, told)


def gradients(
    device: str,
    record: bool,
    taught_by: str | None = None,
    name: str = RASTER,
    precision: str = "fp32",
) -> list[tuple[float, list[Tensor]]]:
    trained = network(device, name)
    gradient = Gradient(objective(trained, taught_by, device, precision), record)
    found = []
    for lr, hr in batches(device):
        loss = gradient(lr, hr).item()
        found.append((loss, [p.grad.clone() for p in trained.parameters() if p.grad is not None]))
        torch.nn.utils.clip_grad_norm_(trained.parameters(), 1e-3)  # as the loop does, in place
    return found


@pytest.mark.parametrize("name", [RASTER, TURNED])
def test_each_call_leaves_the_gradient_of_its_own_batch(name: str) -> None:
    trained = network("cpu", name)
    left = gradients("cpu", False, name=name)
    for (lr, hr), (loss, found) in zip(batches("cpu"), left, strict=True):
        want = torch.nn.functional.l1_loss(trained(lr), hr)
        torch.testing.assert_close(loss, want.item())
        true = torch.autograd.grad(want, list(trained.parameters()))
        torch.testing.assert_close(found, list(true))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU")
@pytest.mark.parametrize("taught_by", [None, "smfanet:D8-B2", "mambalitesr:D8-G1-B1-N2"])
def test_gpu_replay_gives_what_python_gives(taught_by: str | None) -> None:
    plain, replayed = (gradients("cuda", record, taught_by) for record in (False, True))
    for (loss, found), (want, true) in zip(replayed, plain, strict=True):
        assert loss == pytest.approx(want, rel=1e-5)
        for got, expected in zip(found, true, strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="a CUDA graph needs a GPU")
@pytest.mark.parametrize(("precision", "limit"), [("fp32", 5e-3), ("bf16", 3e-2)])
def test_gpu_replay_of_turns_and_locality_gives_what_the_cpu_gives(
    precision: str, limit: float
) -> None:
    exact = gradients("cpu", False, name=TURNED)
    replayed = gradients("cuda", True, name=TURNED, precision=precision)
    for (loss, found), (want, true) in zip(replayed, exact, strict=True):
        assert loss == pytest.approx(want, rel=limit)
        got, expected = (torch.cat([g.cpu().flatten() for g in each]) for each in (found, true))
        assert (got - expected).norm() < limit * expected.norm()
