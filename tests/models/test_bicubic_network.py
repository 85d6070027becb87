import numpy as np
import pytest
import torch

from edgesr.imaging.resize import imresize
from edgesr.models import get_network
from edgesr.models.checkpoint import load_network
from edgesr.models.network import parameter_count


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (17, 12)])
def test_it_equals_the_resize_also_at_the_border(scale: int, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    with torch.inference_mode():
        network = get_network("bicubic").module(scale)
        ours = network(torch.tensor(picture).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, imresize(picture, scale), atol=2e-6)


def test_it_has_nothing_to_train_and_needs_no_file() -> None:
    network = load_network("bicubic", 4, None)
    assert parameter_count(network) == 0
    assert not network.state_dict()
    assert not network.training


def test_pictures_of_a_batch_do_not_mix() -> None:
    network = get_network("bicubic").module(2)
    pictures = torch.rand(3, 3, 5, 4)
    together = network(pictures)
    for i in range(3):
        torch.testing.assert_close(together[i : i + 1], network(pictures[i : i + 1]))
