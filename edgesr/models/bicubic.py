"""Bicubic enlargement as a network: the control every other network must beat.

For a whole factor s the weights of Keys' cubic repeat every s output samples, so enlarging is a
convolution that gives s values (phases) per input sample, laid side by side: rows first, then
columns, then a pixel shuffle. The weights are those of `edgesr.imaging.resize`; borders repeat.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.errors import ConfigError
from edgesr.imaging.resize import contributions
from edgesr.models.network import SRNetwork
from edgesr.models.registry import Network, Options, register

REACH = 2  # input samples to either side that a phase can see
TAPS = 2 * REACH + 1


class FixedConv2d(nn.Conv2d):
    """A convolution with constant weights, which are neither trained nor saved; no padding."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, groups: int = 1) -> None:
        out_channels, group_channels, *kernel = weight.shape
        super().__init__(
            group_channels * groups, out_channels, (kernel[0], kernel[1]), groups=groups
        )
        del self.weight, self.bias
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("bias", bias, persistent=False)


def phase_weights(scale: int) -> Tensor:
    """Return the weights of every output phase, (scale, TAPS), tap t at input offset t - REACH."""
    indices, weights = contributions(TAPS, scale)
    middle = slice(REACH * scale, (REACH + 1) * scale)  # the outputs of the middle sample
    phases = np.zeros((scale, TAPS))
    np.add.at(phases, (np.arange(scale)[:, None], indices[middle]), weights[middle])
    return torch.tensor(phases, dtype=torch.float32)


class Polyphase(nn.Module):
    """Bicubic enlargement of any number of channels: (b, c, h, w) -> (b, c, scale*h, scale*w)."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        phases = phase_weights(scale)
        self.scale = scale
        self.rows = FixedConv2d(phases.view(scale, 1, TAPS, 1))
        across = phases.view(scale, 1, 1, TAPS).repeat(scale, 1, 1, 1)
        self.columns = FixedConv2d(across, groups=scale)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, c, scale*h, scale*w)."""
        channels, height, width = x.shape[1:]
        x = F.pad(x, (REACH, REACH, REACH, REACH), mode="replicate")
        x = x.reshape(-1, 1, height + 2 * REACH, width + 2 * REACH)  # channels are as pictures
        x = F.pixel_shuffle(self.columns(self.rows(x)), self.scale)
        return x.reshape(-1, channels, height * self.scale, width * self.scale)


class Bicubic(SRNetwork):
    """The enlargement alone: (batch, 3, h, w) -> (batch, 3, scale*h, scale*w), not clipped."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.enlarge = Polyphase(scale)

    def forward(self, lr: Tensor) -> Tensor:
        """(batch, 3, h, w) in [0, 1] -> (batch, 3, scale*h, scale*w)."""
        out: Tensor = self.enlarge(lr)
        return out


def _from_options(name: str, options: Options) -> Network:
    if options:
        raise ConfigError("bicubic has no hyper-parameters", where=name)
    return Network(
        name=name,
        build=Bicubic,
        scales=(2, 3, 4),
        summary="bicubic enlargement, Keys' kernel with a = -0.5; nothing to train",
        context="5x5 pixels",
    )


register("bicubic", _from_options, named={"bicubic": ""})
