"""eSR-CNN: two convolutions with tanh in front of eSR's weighing of C candidates for each pixel.

Navarrete Michelini, Lu and Jiang, "edge-SR: super-resolution for the masses", WACV 2022. The state
has the names of the authors' checkpoints (`eSR-CNN_s4_C8_D9_S6`), which is also the network that
MambaLiteSR's Table I calls eSR.
"""

from torch import Tensor, nn

from edgesr.models.candidates import split, weighed
from edgesr.models.luma import LumaNetwork, start_as_copy
from edgesr.models.registry import Network, Options, read_sizes, register


class EsrCnn(LumaNetwork):
    """`depth` and `shrink` feature channels, then `channels` candidates."""

    def __init__(self, scale: int, channels: int, depth: int, shrink: int) -> None:
        super().__init__(scale)
        self.filter = nn.Sequential(
            nn.Conv2d(1, depth, 5, padding=2),
            nn.Tanh(),
            nn.Conv2d(depth, shrink, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(shrink, 2 * scale**2 * channels, 3, padding=1, bias=False),
        )
        for layer in self.filter:
            if isinstance(layer, nn.Conv2d):
                start_as_copy(layer)

    def enlarge_luma(self, y: Tensor) -> Tensor:
        """(batch, 1, h, w) -> (batch, 1, scale*h, scale*w)."""
        value, key = split(self.filter(y), 2, self.scale)
        return weighed(value, key * key, self.scale)


def _from_options(name: str, options: Options) -> Network:
    sizes = read_sizes(name, options, {"C": "channels", "D": "depth", "S": "shrink"})
    return Network(
        name=name,
        build=lambda scale: EsrCnn(scale, **sizes),
        scales=(2, 3, 4),
        summary="eSR-CNN {depth} and {shrink} features, {channels} channels; on luma".format(
            **sizes
        ),
        context="9x9 pixels, colour 5x5",
    )


register("esr-cnn", _from_options, named={"esr": "C8-D9-S6"})
