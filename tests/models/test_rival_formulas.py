"""Each rival against its definition in NumPy, written with loops and none of torch's layers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from edgesr.errors import ConfigError
from edgesr.models import get_network
from edgesr.models.luma import LumaNetwork

Array = np.ndarray
State = dict[str, Array]


def conv(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """`same` convolution: (c, h, w), (o, c, k, k) -> (o, h, w)."""
    reach = weight.shape[2] // 2
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach)))
    out = np.zeros((len(weight), *x.shape[1:]))
    for i, j in np.ndindex(weight.shape[2:]):
        window = padded[:, i : i + x.shape[1], j : j + x.shape[2]]
        out += np.einsum("oc,chw->ohw", weight[:, :, i, j], window)
    return out if bias is None else out + bias[:, None, None]


def shuffle(x: Array, s: int) -> Array:
    out = np.zeros((len(x) // s**2, x.shape[1] * s, x.shape[2] * s))
    for c, i, j in np.ndindex(len(out), s, s):
        out[c, i::s, j::s] = x[c * s**2 + i * s + j]
    return out


def transposed(x: Array, weight: Array, bias: Array, s: int) -> Array:
    """Scatter every input sample with its kernel, then cut to s times the size."""
    _, height, width = x.shape
    k = weight.shape[2]
    padding = (k - 1 - s) // 2 + 1
    canvas = np.zeros((s * height + k, s * width + k))
    for y, z in np.ndindex(height, width):
        canvas[s * y : s * y + k, s * z : s * z + k] += np.einsum(
            "c,cij->ij", x[:, y, z], weight[:, 0]
        )
    return canvas[None, padding : padding + s * height, padding : padding + s * width] + bias


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(0))
    return e / e.sum(0)


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x > 0, x, slope * x)


def esr_max(y: Array, p: State, s: int) -> Array:
    return shuffle(conv(y, p["filter.weight"]), s).max(0, keepdims=True)


def esr_tm(y: Array, p: State, s: int) -> Array:
    x = shuffle(conv(y, p["filter.weight"]), s)
    value, key = x[: len(x) // 2], x[len(x) // 2 :]
    return (value * softmax(key)).sum(0, keepdims=True)


def esr_tr(y: Array, p: State, s: int) -> Array:
    x = shuffle(conv(y, p["filter.weight"]), s)
    c = len(x) // 3
    return (x[:c] * softmax(x[c : 2 * c] * x[2 * c :])).sum(0, keepdims=True)


def esr_cnn(y: Array, p: State, s: int) -> Array:
    x = np.tanh(conv(y, p["filter.0.weight"], p["filter.0.bias"]))
    x = np.tanh(conv(x, p["filter.2.weight"], p["filter.2.bias"]))
    x = shuffle(conv(x, p["filter.4.weight"]), s)
    value, key = x[: len(x) // 2], x[len(x) // 2 :]
    return (value * softmax(key * key)).sum(0, keepdims=True)


def espcn(y: Array, p: State, s: int) -> Array:
    *hidden, last = [key[:-7] for key in p if key.endswith(".weight")]
    for layer in hidden:
        y = np.tanh(conv(y, p[f"{layer}.weight"], p[f"{layer}.bias"]))
    return 1 / (1 + np.exp(-shuffle(conv(y, p[f"{last}.weight"], p[f"{last}.bias"]), s)))


def fsrcnn(y: Array, p: State, s: int) -> Array:
    last = max(int(key.split(".")[1]) for key in p)
    for layer in range(0, last, 2):
        y = conv(y, p[f"net.{layer}.weight"], p[f"net.{layer}.bias"])
        y = prelu(y, p[f"net.{layer + 1}.weight"])
    return transposed(y, p[f"net.{last}.weight"], p[f"net.{last}.bias"], s)


DEFINITIONS: dict[str, Callable[[Array, State, int], Array]] = {
    "esr-max:K3-C2": esr_max,
    "esr-max:K7-C3": esr_max,
    "esr-tm:K5-C4": esr_tm,
    "esr-tr:K3-C5": esr_tr,
    "esr-cnn:C4-D3-S6": esr_cnn,
    "espcn:D8-S6": espcn,
    "espcn:D0-S5": espcn,
    "fsrcnn:D8-S4-M1": fsrcnn,
    "fsrcnn:D6-S5-M4": fsrcnn,
}


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", DEFINITIONS)
def test_it_computes_its_definition(name: str, scale: int) -> None:
    torch.manual_seed(0)
    network = get_network(name).module(scale).double()
    assert isinstance(network, LumaNetwork)
    for parameter in network.parameters():  # away from the initialisation, whose biases may be 0
        nn.init.normal_(parameter, std=0.3)
    state = {key: value.numpy() for key, value in network.state_dict().items()}
    y = np.random.default_rng(0).random((1, 5, 7))

    with torch.inference_mode():
        ours = network.enlarge_luma(torch.tensor(y)[None])[0].numpy()

    assert ours.shape == (1, 5 * scale, 7 * scale)
    np.testing.assert_allclose(ours, DEFINITIONS[name](y, state, scale), atol=1e-12)


@pytest.mark.parametrize("name", ["esr-fast", "esr", "esr-tm", "esr-tr", "espcn", "fsrcnn"])
def test_the_start_can_be_trained(name: str) -> None:
    """Sixty steps of Adam on one picture end at a small part of the loss at the start."""
    torch.manual_seed(0)
    network = get_network(name).module(2)
    hr = torch.rand(1, 3, 6, 6).repeat_interleave(4, 2).repeat_interleave(4, 3)
    lr = hr[..., ::2, ::2]
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        prediction, target = network.training_pair(lr, hr)
        loss = (prediction - target).abs().mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    # L1 under Adam oscillates, differently on every processor: the least of the last ten steps.
    assert min(losses[-10:]) < losses[0] / 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("esr-max:K4-C2", "must be odd"),
        ("esr-tm:K3", "K \\(kernel\\), C \\(channels\\)"),
        ("esr-tr:K3-C2-D1", "must be K"),
        ("esr-cnn:C8-D0-S6", "D \\(depth\\) is out of range"),
        ("espcn:D4-S0", "S \\(shrink\\) is out of range"),
        ("fsrcnn:D-S6-M1", "D \\(depth\\) is out of range"),
        ("bicubic:K3", "no hyper-parameters"),
    ],
)
def test_hyper_parameters_that_cannot_be_are_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        get_network(name)
