"""eSR-TR (transformer): C candidates for each pixel, weighed by the softmax of query times key.

Navarrete Michelini, Lu and Jiang, "edge-SR: super-resolution for the masses", WACV 2022. The state
has the names of the authors' checkpoints (`eSR-TR_s4_K5_C6`).
"""

from torch import Tensor, nn

from edgesr.models.candidates import split, weighed
from edgesr.models.luma import LumaNetwork, start_as_copy
from edgesr.models.registry import Network, Options, read_sizes, register


class EsrTr(LumaNetwork):
    """Kernel `kernel` x `kernel` (odd), `channels` candidates."""

    def __init__(self, scale: int, kernel: int, channels: int) -> None:
        super().__init__(scale)
        self.filter = nn.Conv2d(1, 3 * scale**2 * channels, kernel, padding=kernel // 2, bias=False)
        start_as_copy(self.filter)

    def enlarge_luma(self, y: Tensor) -> Tensor:
        """(batch, 1, h, w) -> (batch, 1, scale*h, scale*w)."""
        value, query, key = split(self.filter(y), 3, self.scale)
        return weighed(value, query * key, self.scale)


def _from_options(name: str, options: Options) -> Network:
    sizes = read_sizes(name, options, {"K": "kernel", "C": "channels"}, odd="K")
    return Network(
        name=name,
        build=lambda scale: EsrTr(scale, **sizes),
        scales=(2, 3, 4),
        summary="eSR-TR kernel {kernel}, {channels} channels; on luma".format(**sizes),
        context="{kernel}x{kernel} pixels, colour 5x5".format(**sizes),
    )


register("esr-tr", _from_options, named={"esr-tr": "K5-C6"})
