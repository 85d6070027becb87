"""SMFANet against its definition in NumPy, and the names and shapes of its published files."""

import math

import numpy as np
import pytest
import torch
from test_rival_formulas import conv, shuffle

from edgesr.errors import ConfigError
from edgesr.models import get_network
from edgesr.models.network import parameter_count
from edgesr.models.smfanet import _maxima

Array = np.ndarray
State = dict[str, Array]


def gelu(x: Array) -> Array:
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def unit(x: Array) -> Array:
    return x / np.sqrt((x**2).sum(0))


def depthwise(x: Array, weight: Array, bias: Array) -> Array:
    """(c, h, w), (m c, 1, 3, 3): channel o looks at channel o // m."""
    each = len(weight) // len(x)
    planes = [conv(x[o // each][None], weight[o : o + 1])[0] for o in range(len(weight))]
    return np.stack(planes) + bias[:, None, None]


def smfa(f: Array, layer: "Layer") -> Array:
    both = layer.conv("linear_0", f)
    width = len(f)
    y, x = both[:width], both[width:]
    _, h, w = x.shape
    rows, columns = h // 8, w // 8
    maxima = np.zeros((width, rows, columns))
    for i, j in np.ndindex(rows, columns):
        top, bottom = math.floor(i * h / rows), math.ceil((i + 1) * h / rows)
        left, right = math.floor(j * w / columns), math.ceil((j + 1) * w / columns)
        maxima[:, i, j] = x[:, top:bottom, left:right].max((1, 2))
    spread = depthwise(maxima, *layer.weights("dw_conv"))
    variance = x.var((1, 2), ddof=1)[:, None, None]
    gate = gelu(layer.conv("linear_1", spread * layer["alpha"] + variance * layer["belt"]))
    up = gate[:, np.arange(h) * rows // h][:, :, np.arange(w) * columns // w]
    detail = layer.conv("lde.conv_0.1", depthwise(y, *layer.weights("lde.conv_0.0")))
    return layer.conv("linear_2", x * up + layer.conv("lde.conv_1", gelu(detail)))


def pcfn(x: Array, layer: "Layer") -> Array:
    inner = gelu(layer.conv("conv_0", x))
    first = len(inner) // 4
    inner[:first] = gelu(layer.conv("conv_1", inner[:first]))
    return layer.conv("conv_2", inner)


class Layer:
    """The tensors below one prefix."""

    def __init__(self, state: State, prefix: str) -> None:
        self._state, self._prefix = state, prefix

    def __getitem__(self, name: str) -> Array:
        value = self._state[self._prefix + name]
        return value[0] if value.shape[0] == 1 else value

    def weights(self, name: str) -> tuple[Array, Array]:
        return tuple(self._state[f"{self._prefix}{name}.{part}"] for part in ("weight", "bias"))  # type: ignore[return-value]

    def conv(self, name: str, x: Array) -> Array:
        return conv(x, *self.weights(name))


def smfanet(lr: Array, state: State, blocks: int, scale: int) -> Array:
    whole = Layer(state, "")
    x = first = whole.conv("to_feat", lr)
    for number in range(blocks):
        x = smfa(unit(x), Layer(state, f"feats.{number}.smfa.")) + x
        x = pcfn(unit(x), Layer(state, f"feats.{number}.pcfn.")) + x
    return shuffle(whole.conv("to_img.0", x + first), scale)


@pytest.mark.parametrize("size", [(16, 24), (19, 21)])
@pytest.mark.parametrize("scale", [2, 4])
def test_it_computes_its_definition(scale: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = get_network("smfanet:D8-B2").module(scale).double()
    for parameter in network.parameters():  # away from the start, where belt is 0
        torch.nn.init.normal_(parameter, std=0.3)
    lr = torch.rand(1, 3, *size, dtype=torch.float64)
    with torch.inference_mode():
        enlarged = network(lr)[0].numpy()
    state = {key: value.numpy() for key, value in network.state_dict().items()}
    np.testing.assert_allclose(enlarged, smfanet(lr[0].numpy(), state, 2, scale), atol=1e-10)


@pytest.mark.parametrize("size", [(3, 5), (8, 8), (17, 40), (25, 31), (32, 23)])
def test_maxima_are_those_of_adaptive_pooling(size: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *size)
    cells = [max(1, side // 8) for side in size]
    expected = torch.nn.functional.adaptive_max_pool2d(x, cells)
    torch.testing.assert_close(_maxima(x), expected, rtol=0, atol=0)


@pytest.mark.parametrize(("name", "parameters"), [("smfanet", 197_328), ("smfanet-plus", 495_888)])
def test_its_published_size(name: str, parameters: int) -> None:
    assert parameter_count(get_network(name).module(4)) == parameters


def test_half_of_an_odd_width_cannot_be() -> None:
    with pytest.raises(ConfigError, match="must be even"):
        get_network("smfanet:D7-B2")
