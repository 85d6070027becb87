"""ABPN: plain 3x3 convolutions that correct the repeated picture, their anchor.

Du, Liu, Tang and Wu, "Anchor-based plain net for mobile image super-resolution", CVPR workshops
2021 (https://arxiv.org/abs/2105.09750): nothing but convolutions, ReLU and one addition, as phones
and 8-bit arithmetic like it. In RGB, where the other convolutional networks here see luma alone.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.models.network import SRNetwork
from edgesr.models.registry import Network, Options, read_sizes, register


class Abpn(SRNetwork):
    """`features` channels in `blocks` inner convolutions; three more lead in and out."""

    def __init__(self, scale: int, features: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        large = 3 * scale**2
        widths = [3, *[features] * (blocks + 1), large]
        convs = [nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths)]
        activated = [layer for conv in convs for layer in (conv, nn.ReLU())]
        self.last = nn.Conv2d(large, large, 3, padding=1)
        self.body = nn.Sequential(*activated)

    def forward(self, lr: Tensor) -> Tensor:
        """(batch, 3, h, w) in [0, 1] -> (batch, 3, scale*h, scale*w), not clipped."""
        batch, colours, height, width = lr.shape
        copies = lr.unsqueeze(2).expand(batch, colours, self.scale**2, height, width)
        correction: Tensor = self.last(self.body(lr))
        return F.pixel_shuffle(copies.flatten(1, 2) + correction, self.scale)

    def start_as_interpolation(self) -> None:
        """Correct nothing at first: the picture with its pixels repeated."""
        nn.init.zeros_(self.last.weight)
        if self.last.bias is not None:
            nn.init.zeros_(self.last.bias)


def _from_options(name: str, options: Options) -> Network:
    sizes = read_sizes(name, options, {"D": "features", "B": "blocks"}, may_be_zero="B")
    side = 2 * sizes["blocks"] + 7
    return Network(
        name=name,
        build=lambda scale: Abpn(scale, **sizes),
        scales=(2, 3, 4),
        summary="ABPN {features} features, {blocks} inner convolutions".format(**sizes),
        context=f"{side}x{side} pixels",
    )


register("abpn", _from_options, named={"abpn": "D28-B4"})
