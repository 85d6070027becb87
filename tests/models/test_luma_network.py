"""The colour path against MATLAB's rgb2ycbcr and ycbcr2rgb, written out, with the NumPy resize."""

import numpy as np
import pytest
import torch

from edgesr.imaging.resize import imresize
from edgesr.models import get_network
from edgesr.models.luma import LumaNetwork

YCBCR = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
OFFSET = np.array([16.0, 128.0, 128.0])


@pytest.mark.parametrize("name", ["esr-fast", "espcn"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_colour_is_bicubic_cb_and_cr(name: str, scale: int) -> None:
    torch.manual_seed(0)
    network = get_network(name).module(scale).double()
    assert isinstance(network, LumaNetwork)
    rgb = np.random.default_rng(0).random((6, 5, 3))

    ycbcr = rgb @ YCBCR.T + OFFSET
    large = np.stack([imresize(ycbcr[..., c], scale) for c in range(3)], axis=-1)
    with torch.inference_mode():
        y = torch.tensor(ycbcr[..., 0] / 255)[None, None]
        large[..., 0] = network.enlarge_luma(y)[0, 0].numpy() * 255
        ours = network(torch.tensor(rgb).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    expected = (large - OFFSET) @ np.linalg.inv(YCBCR).T

    np.testing.assert_allclose(ours, expected, atol=2e-5)  # MATLAB's matrix has three decimals


def test_the_loss_is_taken_on_matlab_luma() -> None:
    network = get_network("esr-fast").module(2)
    lr, hr = torch.rand(2, 3, 4, 6), torch.rand(2, 3, 8, 12)
    prediction, target = network.training_pair(lr, hr)
    assert prediction.shape == target.shape == (2, 1, 8, 12)
    luma = (hr * torch.tensor(YCBCR[0]).float().view(1, 3, 1, 1)).sum(1, keepdim=True) + 16
    torch.testing.assert_close(target, luma / 255)
    seen = network(lr)  # the luma of the RGB output is the network's Y
    again = (seen * torch.tensor(YCBCR[0]).float().view(1, 3, 1, 1)).sum(1, keepdim=True) + 16
    torch.testing.assert_close(again / 255, prediction, atol=1e-5, rtol=0)


def test_grey_stays_grey() -> None:
    grey = torch.rand(1, 1, 5, 5).expand(1, 3, 5, 5)
    with torch.inference_mode():
        out = get_network("esr").module(4)(grey)
    assert (out - out.mean(1, keepdim=True)).abs().max() < 1e-6
