"""ABPN against its definition, and its size against the sum of its layers."""

import numpy as np
import pytest
import torch
from test_rival_formulas import conv, shuffle

from edgesr.errors import ConfigError
from edgesr.models import get_network
from edgesr.models.network import parameter_count


@pytest.mark.parametrize(("name", "scale"), [("abpn", 4), ("abpn:D5-B0", 3), ("abpn:D4-B2", 2)])
def test_it_adds_a_correction_to_repeated_pixels(name: str, scale: int) -> None:
    torch.manual_seed(0)
    network = get_network(name).module(scale)
    lr = torch.rand(2, 3, 6, 7)
    with torch.inference_mode():
        enlarged = network(lr).numpy()
    state = {key: value.double().numpy() for key, value in network.state_dict().items()}
    inner = sorted({int(key.split(".")[1]) for key in state if key.startswith("body")})
    for picture, ours in zip(lr.double().numpy(), enlarged, strict=True):
        x = picture
        for index in inner:
            x = np.maximum(conv(x, state[f"body.{index}.weight"], state[f"body.{index}.bias"]), 0)
        correction = shuffle(conv(x, state["last.weight"], state["last.bias"]), scale)
        repeated = picture.repeat(scale, axis=1).repeat(scale, axis=2)
        np.testing.assert_allclose(ours, repeated + correction, atol=1e-5)


def test_it_starts_with_repeated_pixels() -> None:
    network = get_network("abpn").module(4)
    network.start_as_interpolation()
    lr = torch.rand(1, 3, 5, 4)
    with torch.inference_mode():
        enlarged = network(lr)
    torch.testing.assert_close(
        enlarged, lr.repeat_interleave(4, 2).repeat_interleave(4, 3), rtol=0, atol=0
    )


def test_its_size() -> None:
    lead_in, inner = 28 * (27 + 1), 28 * (28 * 9 + 1)
    lead_out, last = 27 * (28 * 9 + 1), 27 * (27 * 9 + 1)
    assert parameter_count(get_network("abpn").module(3)) == lead_in + 4 * inner + lead_out + last
    with pytest.raises(ConfigError, match="features"):
        get_network("abpn:D28")
