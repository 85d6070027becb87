"""MambaLiteSR: residual groups of Mamba blocks between two convolutions and a pixel shuffle.

One configurable network serves the paper's teacher and student, the shipped student and DVMSR
(Lei et al. 2024), of which MambaLiteSR is a variation. The paper's scans run in raster order, so an
output pixel depends on every input pixel before it; with `turns` they take turns in four
directions, and `locality` lets each block see a pixel's neighbours first.

    x  = conv3x3(lr - mean)
    t  = LayerNorm(tokens(x))
    t  = RMMB(t), `groups` times       RMMB(t) = tokens(conv3x3(image(blocks(t)))) + t
                                       block(t) = Mamba(LayerNorm(u)) [+ u with `skip`]
                                       u = t [+ depthwise(t) with `locality`]
    y  = conv3x3(image(LayerNorm(t))) + x
    hr = PixelShuffle(conv3x3(y)) + mean

Parameter names are those of the DVMSR authors' checkpoints.
"""

from dataclasses import dataclass, replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.errors import ConfigError
from edgesr.models.group_conv import GroupConv
from edgesr.models.local_norm import Locality, add_and_normalise
from edgesr.models.mamba import Mamba
from edgesr.models.network import SRNetwork, image, rgb_mean, tokens
from edgesr.models.registry import Network, Options, register
from edgesr.models.token_norm import TokenNorm
from edgesr.scan.path import FORWARD, TURNS, Direction

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
        turns: blocks scan in turns along rows, rows backward, columns, columns backward; else all
            scan along rows.
        locality: side in pixels of the depthwise convolution added to each block's input; 0: none.
        separable: the convolution after a group is depthwise, then 1x1; else dense.
        gate: a group's result is multiplied by large depthwise convolutions of itself.
        scale: 2, 3 or 4.
    """

    embedding: int = 32
    groups: int = 4
    blocks: int = 2
    state: int = 16
    rank: int | None = None
    heads: int | None = None
    skip: bool = False
    turns: bool = False
    locality: int = 0
    separable: bool = False
    gate: bool = False
    scale: int = 4

    def __post_init__(self) -> None:
        sizes = (self.embedding, self.groups, self.blocks, self.state)
        if min(sizes) < 1 or (self.rank is not None and self.rank < 1):
            raise ConfigError("D, G, B, N and R must be at least 1")
        if self.heads is not None and (self.heads < 1 or 2 * self.embedding % self.heads):
            channels = 2 * self.embedding  # of a scan
            raise ConfigError(f"H: {channels} channels do not split into {self.heads} heads")
        if self.locality and self.locality % 2 == 0:
            raise ConfigError(f"C: the side of a kernel must be odd, not {self.locality}")

    def direction(self, block: int) -> Direction:
        """Return how a block scans; blocks are counted through all groups."""
        return TURNS[block % len(TURNS)] if self.turns else FORWARD


class Block(nn.Module):
    """Locality, LayerNorm and mixer: (batch, height*width, d) -> the same."""

    def __init__(self, config: MambaLiteSRConfig, direction: Direction) -> None:
        super().__init__()
        self.norm = TokenNorm(config.embedding)
        self.mixer = Mamba(config.embedding, config.state, config.rank, config.heads, direction)
        self.local = Locality(config.embedding, config.locality) if config.locality else None
        self.skip = config.skip

    def forward(self, t: Tensor, height: int, width: int) -> Tensor:
        """(batch, height*width, d) -> the same."""
        if self.local is None:
            normalised = self.norm(t)
        else:
            t, normalised = add_and_normalise(t, self.local, self.norm, height, width)
        mixed: Tensor = self.mixer(normalised, height, width)
        return t + mixed if self.skip else mixed


class ResidualGroup(nn.Module):
    """RMMB: blocks, a convolution and a skip around both: (batch, height*width, d) -> the same.

    Args:
        config: of the network.
        index: of the group.
    """

    def __init__(self, config: MambaLiteSRConfig, index: int) -> None:
        super().__init__()
        first = index * config.blocks
        directions = map(config.direction, range(first, first + config.blocks))
        blocks = nn.ModuleList(Block(config, direction) for direction in directions)
        # The extra level keeps the published names `residual_group.blocks.B`.
        self.residual_group = nn.ModuleDict({"blocks": blocks})
        d = config.embedding
        plain = not (config.separable or config.gate)
        self.conv: nn.Module = (
            nn.Conv2d(d, d, 3, padding=1) if plain else GroupConv(d, config.separable, config.gate)
        )

    def forward(self, t: Tensor, height: int, width: int) -> Tensor:
        """(batch, height*width, d) -> the same."""
        mixed = t
        for block in self.residual_group["blocks"].children():
            mixed = block(mixed, height, width)
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
        self.layers = nn.ModuleList(ResidualGroup(config, i) for i in range(config.groups))
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

    def body_layers(self) -> tuple[nn.Module, ...]:
        """Return the residual groups, which give tokens."""
        return tuple(self.layers)

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


SIZES = {
    "D": "embedding",
    "G": "groups",
    "B": "blocks",
    "N": "state",
    "R": "rank",
    "H": "heads",
    "C": "locality",
}
"""Hyper-parameters with a number."""

SWITCHES = {"SKIP": "skip", "TURN": "turns", "SEP": "separable", "GATE": "gate"}
"""Hyper-parameters that stand alone."""

MAX_BLOCKS = 512
"""Most blocks of a network: a name may come from a file."""


def _from_options(name: str, options: Options) -> Network:
    unknown = set(options) - set(SIZES) - set(SWITCHES)
    if unknown:
        numbers = ", ".join(f"{letter} ({what})" for letter, what in SIZES.items())
        raise ConfigError(
            f"MambaLiteSR has no hyper-parameter {', '.join(sorted(unknown))}; it has {numbers} "
            f"and, without a number, {', '.join(SWITCHES)}",
            where=name,
        )
    odd = [key for key, value in options.items() if (value is None) != (key in SWITCHES)]
    if odd:
        raise ConfigError(
            f"{', '.join(odd)}: {', '.join(SWITCHES)} stand alone, the others have a number",
            where=name,
        )
    chosen: dict[str, Any] = {
        SWITCHES[key] if value is None else SIZES[key]: True if value is None else value
        for key, value in options.items()
    }
    try:
        config = MambaLiteSRConfig(**chosen)
    except ConfigError as error:
        raise ConfigError(error.what, where=name) from error
    if config.groups * config.blocks > MAX_BLOCKS:
        raise ConfigError(f"more than {MAX_BLOCKS} blocks", where=name)
    return Network(
        name=name,
        build=lambda scale: MambaLiteSR(replace(config, scale=scale)),
        scales=(2, 3, 4),
        summary=_summary(config),
        context="every pixel, through scans in four directions"
        if config.turns
        else "every earlier pixel in raster order, and 3x3 neighbourhoods of those",
    )


def _summary(config: MambaLiteSRConfig) -> str:
    """Return the network in one line."""
    parts = [
        f"MambaLiteSR d={config.embedding}, {config.groups}x{config.blocks} blocks",
        f"{'S6' if config.heads is None else f'SSD with {config.heads} heads'} N={config.state}",
        "full rank" if config.rank is None else f"rank {config.rank}",
        "skip around each block" if config.skip else "",
        "four directions in turns" if config.turns else "",
        f"depthwise {config.locality}x{config.locality}" if config.locality else "",
        "separable convolutions" if config.separable else "",
        "gates" if config.gate else "",
    ]
    return ", ".join(filter(None, parts))


register(
    "mambalitesr",
    _from_options,
    named={
        "student": "D32-G4-B2-N1-SKIP-TURN-C3",
        "photo": "D32-G4-B2-N1-SKIP-TURN-C3",
        "student-paper": "D32-G4-B2-N16",
        "teacher": "D60-G8-B2-N1-R30-SKIP-TURN-C3",
        "teacher-paper": "D60-G8-B2-N16-R30",
        "dvmsr": "D60-G4-B2-N16",
    },
)
