"""eSR-MAX: one convolution and the largest of C candidates for each pixel.

Navarrete Michelini, Lu and Jiang, "edge-SR: super-resolution for the masses", WACV 2022. The state
has the names of the authors' checkpoints (`eSR-MAX_s4_K3_C2`).
"""

from torch import Tensor, nn

from edgesr.models.candidates import largest, split
from edgesr.models.luma import LumaNetwork, start_as_copy
from edgesr.models.registry import Network, Options, read_sizes, register


class EsrMax(LumaNetwork):
    """Kernel `kernel` x `kernel` (odd), `channels` candidates."""

    def __init__(self, scale: int, kernel: int, channels: int) -> None:
        super().__init__(scale)
        self.filter = nn.Conv2d(1, scale**2 * channels, kernel, padding=kernel // 2, bias=False)
        start_as_copy(self.filter)

    def enlarge_luma(self, y: Tensor) -> Tensor:
        """(batch, 1, h, w) -> (batch, 1, scale*h, scale*w)."""
        (value,) = split(self.filter(y), 1, self.scale)
        return largest(value, self.scale)


def _from_options(name: str, options: Options) -> Network:
    sizes = read_sizes(name, options, {"K": "kernel", "C": "channels"}, odd="K")
    return Network(
        name=name,
        build=lambda scale: EsrMax(scale, **sizes),
        scales=(2, 3, 4),
        summary="eSR-MAX kernel {kernel}, {channels} channels; on luma".format(**sizes),
        context="{kernel}x{kernel} pixels, colour 5x5".format(**sizes),
    )


register("esr-max", _from_options, named={"esr-fast": "K3-C2"})
