"""eSR-TM (template matching): C candidates for each pixel, weighed by the softmax of C keys.

Navarrete Michelini, Lu and Jiang, "edge-SR: super-resolution for the masses", WACV 2022. The state
has the names of the authors' checkpoints (`eSR-TM_s4_K7_C5`).
"""

from torch import Tensor, nn

from edgesr.models.candidates import split, weighed
from edgesr.models.luma import LumaNetwork, start_as_copy
from edgesr.models.registry import Network, Options, read_sizes, register


class EsrTm(LumaNetwork):
    """Kernel `kernel` x `kernel` (odd), `channels` candidates."""

    def __init__(self, scale: int, kernel: int, channels: int) -> None:
        super().__init__(scale)
        self.filter = nn.Conv2d(1, 2 * scale**2 * channels, kernel, padding=kernel // 2, bias=False)
        start_as_copy(self.filter)

    def enlarge_luma(self, y: Tensor) -> Tensor:
        """(batch, 1, h, w) -> (batch, 1, scale*h, scale*w)."""
        value, key = split(self.filter(y), 2, self.scale)
        return weighed(value, key, self.scale)


def _from_options(name: str, options: Options) -> Network:
    sizes = read_sizes(name, options, {"K": "kernel", "C": "channels"}, odd="K")
    return Network(
        name=name,
        build=lambda scale: EsrTm(scale, **sizes),
        scales=(2, 3, 4),
        summary="eSR-TM kernel {kernel}, {channels} channels; on luma".format(**sizes),
        context="{kernel}x{kernel} pixels, colour 5x5".format(**sizes),
    )


register("esr-tm", _from_options, named={"esr-tm": "K7-C5"})
