import math
from pathlib import Path

import pytest
import torch
from published_layouts import PUBLISHED, Layout

from edgesr.models.checkpoint import load_network
from edgesr.models.network import parameter_count


def random_state(layout: Layout) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {key: 0.1 * torch.randn(shape, generator=generator) for key, shape in layout.items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_with_the_published_names_loads_unchanged(name: str, tmp_path: Path) -> None:
    values, layout = PUBLISHED[name]
    assert sum(map(math.prod, layout.values())) == values
    state = random_state(layout)
    path = tmp_path / "authors.model"
    torch.save(state, path)

    network = load_network(name, 4, path)

    assert parameter_count(network) == values
    own = network.state_dict()
    assert set(own) == set(layout)
    assert all(torch.equal(own[key], state[key]) for key in layout)
    with torch.inference_mode():
        enlarged = network(torch.rand(2, 3, 6, 9))
    assert enlarged.shape == (2, 3, 24, 36)
    assert enlarged.isfinite().all()


def test_the_ema_of_a_training_file_is_preferred(tmp_path: Path) -> None:
    layout = PUBLISHED["dvmsr"][1]
    ema = random_state(layout)
    path = tmp_path / "dvmsr.pth"
    torch.save({"params": {k: v + 1 for k, v in ema.items()}, "params_ema": ema}, path)
    assert torch.equal(
        load_network("dvmsr", 4, path).state_dict()["norm_f.bias"], ema["norm_f.bias"]
    )
