"""MambaLiteSR: residual groups of Mamba blocks between two convolutions and a pixel shuffle.

One configurable network serves the paper's teacher and student, the shipped student and DVMSR
(Lei et al. 2024), of which MambaLiteSR is a variation. Tokens run in raster order, so an output
pixel depends on every input pixel before it.

    x  = conv3x3(lr - mean)
    t  = LayerNorm(tokens(x))
    t  = RMMB(t), `groups` times       RMMB(t) = tokens(conv3x3(image(blocks(t)))) + t
                                       block(t) = Mamba(LayerNorm(t)) [+ t with `skip`]
    y  = conv3x3(image(LayerNorm(t))) + x
    hr = PixelShuffle(conv3x3(y)) + mean

Parameter names are those of the DVMSR authors' checkpoints.
"""

from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.errors import ConfigError
from edgesr.models.mamba import Mamba
from edgesr.models.network import SRNetwork, image, rgb_mean, tokens
from edgesr.models.registry import Network, Options, register
from edgesr.models.token_norm import TokenNorm

DF2K_MEAN = (0.4488, 0.4371, 0.4040)  # mean of DIV2K's pictures, part of the published network


@dataclass(frozen=True)
class MambaLiteSRConfig:
    """Shape of the network.

    Attributes:
        embedding: width of a token.
        groups: number of residual groups (RMMB).
        blocks: Mamba blocks in a group.
        state: size of the state of one scan channel.
        rank: rank of every mixer's in_proj and out_proj, None for full matrices.
        heads: None for S6; a number of heads for SSD, where a head shares its decay.
        skip: add each block's input to its output; the paper's networks do not.
        scale: 2, 3 or 4.
    """

    embedding: int = 32
    groups: int = 4
    blocks: int = 2
    state: int = 16
    rank: int | None = None
    heads: int | None = None
    skip: bool = False
    scale: int = 4

    def __post_init__(self) -> None:
        sizes = (self.embedding, self.groups, self.blocks, self.state)
        if min(sizes) < 1 or (self.rank is not None and self.rank < 1):
            raise ConfigError("every size of MambaLiteSR must be at least 1")
        if self.heads is not None and (self.heads < 1 or 2 * self.embedding % self.heads):
            raise ConfigError(f"{2 * self.embedding} channels do not split into {self.heads} heads")


class Block(nn.Module):
    """LayerNorm and mixer: (batch, L, d) -> (batch, L, d)."""

    def __init__(self, config: MambaLiteSRConfig) -> None:
        super().__init__()
        self.norm = TokenNorm(config.embedding)
        self.mixer = Mamba(config.embedding, config.state, config.rank, config.heads)
        self.skip = config.skip

    def forward(self, t: Tensor) -> Tensor:
        """(batch, L, d) -> (batch, L, d)."""
        mixed: Tensor = self.mixer(self.norm(t))
        return t + mixed if self.skip else mixed


class ResidualGroup(nn.Module):
    """RMMB: blocks, a convolution and a skip around both: (batch, L, d) -> (batch, L, d)."""

    def __init__(self, config: MambaLiteSRConfig) -> None:
        super().__init__()
        blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        # The extra level keeps the published names `residual_group.blocks.B`.
        self.residual_group = nn.ModuleDict({"blocks": blocks})
        self.conv = nn.Conv2d(config.embedding, config.embedding, 3, padding=1)

    def forward(self, t: Tensor, height: int, width: int) -> Tensor:
        """(batch, height*width, d) -> the same."""
        mixed = t
        for block in self.residual_group["blocks"].children():
            mixed = block(mixed)
        return tokens(self.conv(image(mixed, height, width))) + t


class PatchEmbed(nn.Module):
    """Holds the first norm under the name the published checkpoints use."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = TokenNorm(width, stream=True)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, d, height, width) -> normalised tokens (batch, height*width, d)."""
        out: Tensor = self.norm(tokens(x))
        return out


class MambaLiteSR(SRNetwork):
    """The network of the module's docstring; (batch, 3, h, w) -> (batch, 3, scale*h, scale*w)."""

    mean: Tensor

    def __init__(self, config: MambaLiteSRConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = config.scale
        d = config.embedding
        self.register_buffer("mean", rgb_mean(DF2K_MEAN), persistent=False)
        self.conv_first = nn.Conv2d(3, d, 3, padding=1)
        self.patch_embed = PatchEmbed(d)
        self.layers = nn.ModuleList(ResidualGroup(config) for _ in range(config.groups))
        self.norm_f = TokenNorm(d)
        self.conv_after_body = nn.Conv2d(d, d, 3, padding=1)
        # A list of one keeps the published name `upsample.0`.
        self.upsample = nn.ModuleList([nn.Conv2d(d, 3 * self.scale**2, 3, padding=1)])

    def forward(self, lr: Tensor) -> Tensor:
        """(batch, 3, h, w) in [0, 1] -> (batch, 3, scale*h, scale*w), not clipped."""
        height, width = lr.shape[-2:]
        x = self.conv_first(lr - self.mean)
        t = self.patch_embed(x)
        for layer in self.layers:
            t = layer(t, height, width)
        y = self.conv_after_body(image(self.norm_f(t), height, width)) + x
        return F.pixel_shuffle(self.upsample[0](y), self.scale) + self.mean

    @torch.no_grad()
    def start_as_interpolation(self) -> None:
        """Let the first three channels carry the picture to a bilinear upsampling convolution.

        The body adds nothing to those channels at first, and the other channels are not read yet.
        """
        last = cast(nn.Conv2d, self.upsample[0])
        for convolution, rows in ((self.conv_first, 3), (self.conv_after_body, 3), (last, None)):
            convolution.weight[:rows] = 0.0
            cast(Tensor, convolution.bias)[:rows] = 0.0
        kernels = _bilinear_kernels(self.scale)  # (scale^2, 3, 3)
        for colour in range(3):
            self.conv_first.weight[colour, colour, 1, 1] = 1.0
            first = colour * self.scale**2
            last.weight[first : first + self.scale**2, colour] = kernels


def _bilinear_kernels(scale: int) -> Tensor:
    """Return the 3x3 kernel of every output phase, row by row: (scale^2, 3, 3)."""
    offset = (torch.arange(scale) + 0.5) / scale - 0.5  # of an output pixel from its input pixel
    taps = torch.stack([(-offset).clamp(min=0), 1 - offset.abs(), offset.clamp(min=0)], dim=1)
    return torch.einsum("iy,jx->ijyx", taps, taps).reshape(scale**2, 3, 3)


MAX_BLOCKS = 512
"""Most blocks of a network: a name may come from a file."""


def _from_options(name: str, options: Options) -> Network:
    known = {
        "D": "embedding",
        "G": "groups",
        "B": "blocks",
        "N": "state",
        "R": "rank",
        "H": "heads",
    }
    unknown = set(options) - set(known) - {"SKIP"}
    if unknown:
        raise ConfigError(
            f"MambaLiteSR has no hyper-parameter {', '.join(sorted(unknown))}; "
            "it has D (embedding), G (groups), B (blocks), N (state), R (rank), H (heads), SKIP",
            where=name,
        )
    odd = [key for key, value in options.items() if (value is None) != (key == "SKIP")]
    if odd:
        raise ConfigError(
            f"{', '.join(odd)}: SKIP stands alone, the others have a number", where=name
        )
    sizes = {known[key]: value for key, value in options.items() if value is not None}
    config = replace(MambaLiteSRConfig(), skip="SKIP" in options, **sizes)
    if config.groups * config.blocks > MAX_BLOCKS:
        raise ConfigError(f"more than {MAX_BLOCKS} blocks", where=name)
    skip = ", skip around each block" if config.skip else ""
    rank = "full rank" if config.rank is None else f"rank {config.rank}"
    mixer = "S6" if config.heads is None else f"SSD with {config.heads} heads"
    return Network(
        name=name,
        build=lambda scale: MambaLiteSR(replace(config, scale=scale)),
        scales=(2, 3, 4),
        summary=f"MambaLiteSR d={config.embedding}, {config.groups}x{config.blocks} blocks, "
        f"{mixer} N={config.state}, {rank}{skip}",
        context="every earlier pixel in raster order, and 3x3 neighbourhoods of those",
    )


register(
    "mambalitesr",
    _from_options,
    named={
        "student": "D32-G4-B2-N1-SKIP",
        "student-paper": "D32-G4-B2-N16",
        "teacher": "D60-G8-B2-N16-R30-SKIP",
        "teacher-paper": "D60-G8-B2-N16-R30",
        "dvmsr": "D60-G4-B2-N16",
    },
)
