"""FSRCNN: features, shrinking, M mapping layers, expanding, and a transposed convolution.

Dong, Loy and Tang, "Accelerating the super-resolution convolutional neural network", ECCV 2016, in
the form and with the state names of the edge-SR authors' checkpoints (`FSRCNN_s4_D32_S6_M1`): every
PReLU has a single slope.
"""

import math

import torch
from torch import Tensor, nn

from edgesr.models.luma import LumaNetwork
from edgesr.models.registry import Network, Options, read_sizes, register

KERNEL = 9  # of the transposed convolution


class Fsrcnn(LumaNetwork):
    """`depth` features, `shrink` of them mapped `mappings` times."""

    def __init__(self, scale: int, depth: int, shrink: int, mappings: int) -> None:
        super().__init__(scale)
        convs = [nn.Conv2d(1, depth, 5, padding=2), nn.Conv2d(depth, shrink, 1)]
        convs += [nn.Conv2d(shrink, shrink, 3, padding=1) for _ in range(mappings)]
        convs += [nn.Conv2d(shrink, depth, 1)]
        enlarge = nn.ConvTranspose2d(
            depth,
            1,
            KERNEL,
            stride=scale,
            padding=(KERNEL - 1 - scale) // 2 + 1,
            output_padding=(scale + 1) % 2,
        )
        activated = [layer for conv in convs for layer in (conv, nn.PReLU())]
        self.net = nn.Sequential(*activated, enlarge)
        for conv in convs:
            nn.init.kaiming_normal_(conv.weight, a=0.25)  # the slope with which PReLU starts
        # An output pixel sums depth * (KERNEL / scale)^2 products; keep that sum small at first.
        nn.init.normal_(enlarge.weight, std=0.1 * scale / (KERNEL * math.sqrt(depth)))
        enlarge.bias = nn.Parameter(torch.full((1,), 0.5))  # mid grey

    def enlarge_luma(self, y: Tensor) -> Tensor:
        """(batch, 1, h, w) -> (batch, 1, scale*h, scale*w)."""
        out: Tensor = self.net(y)
        return out


def _from_options(name: str, options: Options) -> Network:
    letters = {"D": "depth", "S": "shrink", "M": "mappings"}
    sizes = read_sizes(name, options, letters, may_be_zero="M")
    side = 2 * sizes["mappings"] + 7  # 5x5, the mappings, and 3x3 of the transposed convolution
    return Network(
        name=name,
        build=lambda scale: Fsrcnn(scale, **sizes),
        scales=(2, 3, 4),
        summary="FSRCNN {depth} features, {shrink} mapped in {mappings} layers; on luma".format(
            **sizes
        ),
        context=f"{side}x{side} pixels ({side + 2}x{side + 2} at x2), colour 5x5",
    )


register("fsrcnn", _from_options, named={"fsrcnn": "D32-S6-M1"})
