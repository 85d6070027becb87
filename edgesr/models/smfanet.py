"""SMFANet: self-modulation of local detail by what a whole picture has, all of it convolutions.

Zheng, Sun, Dong and Pan, "SMFANet: a lightweight self-modulation feature aggregation network for
efficient image super-resolution", ECCV 2024; written from its description. Parameter names are
those of the authors' checkpoints (Zheng-MJ/SMFANet, Apache-2.0), so these load unchanged.

    x  = conv3x3(lr)
    hr = PixelShuffle(conv3x3(blocks(x) + x))
    block(x): x = SMFA(n(x)) + x, then x = PCFN(n(x)) + x; n gives every pixel an L2 norm of 1

Sums stay in the dtype of the input, so that under bfloat16 autocast only the products lose digits.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.errors import ConfigError
from edgesr.models.network import SRNetwork
from edgesr.models.registry import Network, Options, read_sizes, register

REDUCTION = 8  # sides of the picture over those of its map of maxima
PARTIAL = 4  # PCFN convolves one in so many channels


class Detail(nn.Module):
    """What is near a pixel: depthwise 3x3, two 1x1 (`lde`, local detail estimation)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_0 = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, padding=1, groups=width),
            nn.Conv2d(2 * width, 2 * width, 1),
        )
        self.conv_1 = nn.Conv2d(2 * width, width, 1)

    def forward(self, y: Tensor) -> Tensor:
        """(batch, width, h, w) -> the same."""
        out: Tensor = self.conv_1(F.gelu(self.conv_0(y)))
        return out


class Modulation(nn.Module):
    """SMFA: half of the features scaled by maxima and variance, the other half refined nearby."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_0 = nn.Conv2d(width, 2 * width, 1)
        self.linear_1 = nn.Conv2d(width, width, 1)
        self.linear_2 = nn.Conv2d(width, width, 1)
        self.lde = Detail(width)
        self.dw_conv = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.alpha = nn.Parameter(torch.ones(1, width, 1, 1))
        self.belt = nn.Parameter(torch.zeros(1, width, 1, 1))

    def forward(self, f: Tensor) -> Tensor:
        """(batch, width, h, w) -> the same."""
        y, x = self.linear_0(f).chunk(2, dim=1)
        maxima = self.dw_conv(_maxima(x))
        variance = torch.var(x, dim=(-2, -1), keepdim=True)
        gate = F.gelu(self.linear_1(maxima * self.alpha + variance * self.belt))
        spread = F.interpolate(gate, size=x.shape[-2:], mode="nearest")
        out: Tensor = self.linear_2(x * spread + self.lde(y))
        return out


def _maxima(x: Tensor) -> Tensor:
    """Maxima over cells of about `REDUCTION` x `REDUCTION` pixels, at least one cell.

    As torch's adaptive_max_pool2d, which neither its exporter nor TensorRT has: cells are equal
    where the sides divide, else they overlap by a pixel.
    """
    height, width = x.shape[-2:]
    rows, columns = max(1, height // REDUCTION), max(1, width // REDUCTION)
    if height % rows == 0 and width % columns == 0:
        return F.max_pool2d(x, (height // rows, width // columns))
    return _strips(_strips(x, rows, -2), columns, -1)


def _strips(x: Tensor, number: int, axis: int) -> Tensor:
    """Maximum over each of `number` strips along an axis."""
    side = x.shape[axis]
    bounds = [(at * side // number, -(-(at + 1) * side // number)) for at in range(number)]
    strips = [x.narrow(axis, start, end - start) for start, end in bounds]
    return torch.cat([strip.amax(axis, keepdim=True) for strip in strips], dim=axis)


class FeedForward(nn.Module):
    """PCFN: 1x1, a 3x3 over the first part of the channels, 1x1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = 2 * width
        self.split = [inner // PARTIAL, inner - inner // PARTIAL]
        self.conv_0 = nn.Conv2d(width, inner, 1)
        self.conv_1 = nn.Conv2d(self.split[0], self.split[0], 3, padding=1)
        self.conv_2 = nn.Conv2d(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, h, w) -> the same."""
        part, rest = torch.split(F.gelu(self.conv_0(x)), self.split, dim=1)
        out: Tensor = self.conv_2(torch.cat([F.gelu(self.conv_1(part)), rest], dim=1))
        return out


class SmfaBlock(nn.Module):
    """SMFA and PCFN, each behind a norm over channels and beside a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.smfa = Modulation(width)
        self.pcfn = FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, h, w) -> the same."""
        x = self.smfa(F.normalize(x)) + x
        out: Tensor = self.pcfn(F.normalize(x)) + x
        return out


class Smfanet(SRNetwork):
    """The network of the module's docstring; (batch, 3, h, w) -> (batch, 3, scale*h, scale*w)."""

    def __init__(self, scale: int, features: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        self.to_feat = nn.Conv2d(3, features, 3, padding=1)
        self.feats = nn.Sequential(*(SmfaBlock(features) for _ in range(blocks)))
        self.to_img = nn.Sequential(
            nn.Conv2d(features, 3 * scale**2, 3, padding=1), nn.PixelShuffle(scale)
        )

    def forward(self, lr: Tensor) -> Tensor:
        """(batch, 3, h, w) in [0, 1] -> (batch, 3, scale*h, scale*w), not clipped."""
        x = self.to_feat(lr).to(lr.dtype)
        out: Tensor = self.to_img(self.feats(x) + x)
        return out

    def body_layers(self) -> tuple[nn.Module, ...]:
        """Return the blocks, which give pictures."""
        return tuple(self.feats)


def _from_options(name: str, options: Options) -> Network:
    sizes = read_sizes(name, options, {"D": "features", "B": "blocks"})
    if sizes["features"] % 2:
        raise ConfigError("D (features) must be even", where=name)
    return Network(
        name=name,
        build=lambda scale: Smfanet(scale, **sizes),
        scales=(2, 3, 4),
        summary="SMFANet {features} features, {blocks} blocks".format(**sizes),
        context="the whole picture, by the variance of each channel",
    )


register("smfanet", _from_options, named={"smfanet": "D36-B8", "smfanet-plus": "D48-B12"})
