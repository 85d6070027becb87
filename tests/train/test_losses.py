import math
from pathlib import Path

import pytest
import torch

from edgesr.errors import ConfigError
from edgesr.models import get_network
from edgesr.models.network import SRNetwork
from edgesr.train.config import Distillation
from edgesr.train.losses import FOURIER_WEIGHT, LOSSES, Objective

STUDENT, TEACHER = "mambalitesr:D8-G1-B1-N2", "mambalitesr:D8-G1-B1-N2-SKIP"


def _network(name: str, seed: int) -> SRNetwork:
    torch.manual_seed(seed)
    return get_network(name).module(4)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 8, 8, generator=generator), torch.rand(
        2, 3, 32, 32, generator=generator
    )


def test_values_by_hand() -> None:
    prediction, target = torch.tensor([[0.0, 3.0]]), torch.tensor([[1.0, 1.0]])
    assert LOSSES["l1"](prediction, target).item() == pytest.approx(1.5)
    assert LOSSES["l2"](prediction, target).item() == pytest.approx(2.5)
    expected = (math.sqrt(1 + 1e-6) + math.sqrt(4 + 1e-6)) / 2
    assert LOSSES["charbonnier"](prediction, target).item() == pytest.approx(expected)


def test_fourier_adds_the_spectrum_of_the_difference() -> None:
    target = torch.zeros(1, 1, 4, 4)
    constant = torch.full_like(target, 0.5)  # orthonormal: one coefficient of 4 * 0.5, real
    coefficients = 4 * 3 * 2  # rows, half the columns, real and imaginary
    expected = 0.5 + FOURIER_WEIGHT * 2.0 / coefficients
    assert LOSSES["l1-fourier"](constant, target).item() == pytest.approx(expected)
    assert LOSSES["l1-fourier"](target, target).item() == 0.0


@pytest.mark.parametrize("student", [STUDENT, "espcn"])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.8, 1.0])
def test_distillation_is_equation_seven(
    student: str, alpha: float, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    lr, hr = batch
    network, teacher = _network(student, 0), _network(TEACHER, 1).eval()
    objective = Objective(
        network, LOSSES["l1"], "fp32", teacher, Distillation(Path("teacher"), alpha=alpha)
    )
    with torch.no_grad():
        prediction, truth = network.training_pair(lr, hr)
        _, taught = network.training_pair(lr, teacher(lr))
    by_hand = alpha * (prediction - taught).abs().mean() + (1 - alpha) * (
        (prediction - truth).abs().mean()
    )
    assert objective(lr, hr).item() == pytest.approx(by_hand.item(), rel=1e-5)
    before = Objective(network, LOSSES["l1"], "fp32", None, Distillation(Path("t"), alpha=alpha))
    assert before(lr, hr, teacher(lr)).item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_the_teacher_is_neither_trained_nor_a_part(
    batch: tuple[torch.Tensor, torch.Tensor],
) -> None:
    network, teacher = _network(STUDENT, 0), _network(TEACHER, 1).eval()
    objective = Objective(network, LOSSES["l1"], "fp32", teacher, Distillation(Path("teacher")))
    objective(*batch).backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert len(list(objective.parameters())) == len(list(network.parameters()))


def test_bf16_keeps_parameters_gradients_and_loss_in_float32(
    batch: tuple[torch.Tensor, torch.Tensor],
) -> None:
    network = _network(STUDENT, 0)
    exact = Objective(network, LOSSES["l1"], "fp32")(*batch)
    loss = Objective(network, LOSSES["l1"], "bf16")(*batch)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() != exact.item()  # it did run in bfloat16
    assert loss.item() == pytest.approx(exact.item(), rel=2e-2)
    assert {p.grad.dtype for p in network.parameters() if p.grad is not None} == {torch.float32}


def test_alpha_outside_its_range() -> None:
    with pytest.raises(ConfigError, match=r"^alpha: "):
        Distillation(Path("teacher"), alpha=1.2)
