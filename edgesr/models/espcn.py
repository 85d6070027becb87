"""ESPCN: convolutions at the small size, then a pixel shuffle.

Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
convolutional neural network", CVPR 2016, in the form and with the state names of the edge-SR
authors' checkpoints (`ESPCN_s4_D64_S32`): tanh between, a sigmoid at the end. D = 0 leaves the
first convolution out.
"""

from torch import Tensor, nn

from edgesr.models.luma import LumaNetwork, start_as_copy
from edgesr.models.registry import Network, Options, read_sizes, register


class Espcn(LumaNetwork):
    """`depth` features (may be 0), then `shrink` features."""

    def __init__(self, scale: int, depth: int, shrink: int) -> None:
        super().__init__(scale)
        first = [nn.Conv2d(1, depth, 5, padding=2), nn.Tanh()] if depth else []
        self.net = nn.Sequential(
            *first,
            nn.Conv2d(depth or 1, shrink, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(shrink, scale**2, 3, padding=1),
            nn.PixelShuffle(scale),
            nn.Sigmoid(),
        )
        for layer in self.net:
            if isinstance(layer, nn.Conv2d):
                start_as_copy(layer)

    def enlarge_luma(self, y: Tensor) -> Tensor:
        """(batch, 1, h, w) -> (batch, 1, scale*h, scale*w)."""
        out: Tensor = self.net(y)
        return out


def _from_options(name: str, options: Options) -> Network:
    sizes = read_sizes(name, options, {"D": "depth", "S": "shrink"}, may_be_zero="D")
    side = 9 if sizes["depth"] else 5
    return Network(
        name=name,
        build=lambda scale: Espcn(scale, **sizes),
        scales=(2, 3, 4),
        summary="ESPCN {depth} and {shrink} features; on luma".format(**sizes),
        context=f"{side}x{side} pixels, colour 5x5",
    )


register("espcn", _from_options, named={"espcn": "D64-S32"})
