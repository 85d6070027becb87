"""Feature affinity against its definition, and as a part of the objective."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from edgesr.errors import ConfigError
from edgesr.models import get_network
from edgesr.models.network import SRNetwork
from edgesr.train.affinity import POOL, affinity_loss, features_of, paired_layers
from edgesr.train.config import Distillation
from edgesr.train.losses import LOSSES, Objective

STUDENT, TEACHER = "mambalitesr:D8-G2-B1-N2-SKIP", "smfanet:D6-B4"


def network(name: str, seed: int = 0) -> SRNetwork:
    torch.manual_seed(seed)
    return get_network(name).module(2)


def by_hand(features: np.ndarray) -> np.ndarray:
    """(channels, h, w) -> cosines between the means of squares, written with loops."""
    _, h, w = features.shape
    squares = [
        features[:, top : top + POOL, left : left + POOL].mean((1, 2))
        for top in range(0, h, POOL)
        for left in range(0, w, POOL)
    ]
    return np.array([[a @ b / np.sqrt((a @ a) * (b @ b)) for b in squares] for a in squares])


@pytest.mark.parametrize("size", [(8, 12), (7, 10)])  # whole squares, and cut ones at the edges
def test_the_loss_is_its_definition(size: tuple[int, int]) -> None:
    draw = np.random.default_rng(0)
    pairs = [(draw.normal(size=(3, 5, *size)), draw.normal(size=(3, 9, *size))) for _ in range(2)]
    expected = np.mean(
        [
            np.abs(by_hand(s) - by_hand(t)).mean()
            for a, b in pairs
            for s, t in zip(a, b, strict=True)
        ]
    )
    ours, theirs = zip(*pairs, strict=True)
    loss = affinity_loss(
        [torch.from_numpy(x) for x in ours],
        [torch.from_numpy(x).flatten(2).transpose(1, 2) for x in theirs],  # as tokens
        *size,
    )
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_gradients_reach_the_student() -> None:
    torch.manual_seed(0)
    ours = torch.randn(2, 4, 8, 8, dtype=torch.float64, requires_grad=True)
    theirs = torch.randn(2, 7, 8, 8, dtype=torch.float64)
    torch.autograd.gradcheck(lambda x: affinity_loss([x], [theirs], 8, 8), ours)


def test_a_turned_basis_of_channels_costs_nothing() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 6, 8, 8)
    turn = torch.linalg.qr(torch.randn(6, 6))[0]
    turned = 3.0 * torch.einsum("ij,bjhw->bihw", turn, features)
    assert affinity_loss([turned], [features], 8, 8).item() < 1e-6
    assert affinity_loss([features.flip(-1)], [features], 8, 8).item() > 0.1


def test_layers_of_equal_depth_are_paired() -> None:
    student, teacher = network(STUDENT), network(TEACHER)
    ours, theirs = paired_layers(student, teacher)
    assert ours == tuple(student.layers)  # type: ignore[arg-type]
    assert theirs == (teacher.feats[1], teacher.feats[3])  # type: ignore[index]
    _, repeated = paired_layers(teacher, student)
    assert repeated == tuple(student.layers[at] for at in (0, 0, 1, 1))  # type: ignore[index]
    with features_of(repeated) as seen:
        student(torch.rand(1, 3, 8, 8))
    assert [torch.equal(a, b) for a, b in pairwise(seen)] == [True, False, True]
    assert not any(layer._forward_hooks for layer in student.modules())


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_the_objective_adds_it(alpha: float) -> None:
    student, teacher = network(STUDENT), network(TEACHER, seed=1).eval()
    lr, hr = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 32, 32)

    def loss(weight: float) -> torch.Tensor:
        told = Distillation(Path("teacher"), alpha=alpha, feature_affinity=weight)
        value: torch.Tensor = Objective(student, LOSSES["l1"], "fp32", teacher, told)(lr, hr)
        return value

    ours, theirs = paired_layers(student, teacher)
    with features_of(ours) as mine, features_of(theirs) as other, torch.no_grad():
        student(lr), teacher(lr)
    added = affinity_loss(mine, other, 16, 16).item()
    assert added > 0.01
    assert loss(3.0).item() == pytest.approx(loss(0.0).item() + 3 * added, rel=1e-5)

    plain = torch.autograd.grad(loss(0.0), list(student.parameters()))
    pulled = torch.autograd.grad(loss(3.0), list(student.parameters()))
    moved = {
        name
        for (name, _), a, b in zip(student.named_parameters(), plain, pulled, strict=True)
        if not torch.allclose(a, b)
    }
    assert any(name.startswith("layers.0.") for name in moved)
    assert "upsample.0.weight" not in moved  # behind the features
    assert all(parameter.grad is None for parameter in teacher.parameters())


@pytest.mark.parametrize(("student", "teacher"), [("espcn", TEACHER), (STUDENT, "espcn")])
def test_a_network_without_layers_to_compare_is_refused(student: str, teacher: str) -> None:
    told = Distillation(Path("teacher"), feature_affinity=1.0)
    with pytest.raises(ConfigError, match="no layers") as caught:
        Objective(network(student), LOSSES["l1"], "fp32", network(teacher), told)
    assert caught.value.field == "feature_affinity"


def test_a_negative_weight_cannot_be() -> None:
    with pytest.raises(ConfigError, match="feature_affinity"):
        Distillation(Path("teacher"), feature_affinity=-1.0)
