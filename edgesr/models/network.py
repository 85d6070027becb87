"""What every super-resolution network offers to training, evaluation and export."""

import torch
from torch import Tensor, nn


class SRNetwork(nn.Module):
    """A network from an RGB picture to one `scale` times larger.

    `forward` maps (batch, 3, height, width) in [0, 1] to (batch, 3, scale*height, scale*width),
    not clipped. Export and evaluation use nothing else.
    """

    scale: int

    def training_pair(self, lr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
        """Return (prediction, target) between which the loss is taken; luma networks override it.

        Args:
            lr: (batch, 3, height, width) in [0, 1].
            hr: (batch, 3, scale*height, scale*width) in [0, 1].
        """
        return self(lr), hr

    def start_as_interpolation(self) -> None:
        """Set fresh weights so that the untrained network interpolates, where it has a path for it.

        Training then starts near the quality of bicubic and spends its steps on what is beyond.
        """

    def body_layers(self) -> tuple[nn.Module, ...]:
        """Return the layers whose outputs another network can learn from, in order of depth.

        Each gives one tensor at the size of the input, (batch, channels, height, width) or tokens
        in raster order (batch, height*width, channels); none where a network has no such layers.
        """
        return ()


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable values."""
    return sum(parameter.numel() for parameter in network.parameters())


def tokens(image: Tensor) -> Tensor:
    """(batch, channels, height, width) -> (batch, height*width, channels), raster order."""
    return image.permute(0, 2, 3, 1).flatten(1, 2)


def image(tokens: Tensor, height: int, width: int) -> Tensor:
    """(batch, height*width, channels) -> (batch, channels, height, width)."""
    return tokens.reshape(tokens.shape[0], height, width, -1).permute(0, 3, 1, 2)


def rgb_mean(mean: tuple[float, float, float]) -> Tensor:
    """Return a channel mean shaped (1, 3, 1, 1) to be subtracted from NCHW pictures."""
    return torch.tensor(mean).view(1, 3, 1, 1)
