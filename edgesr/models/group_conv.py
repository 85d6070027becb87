"""What may stand for the dense 3x3 convolution at the end of a group of Mamba blocks."""

from torch import Tensor, nn


class GroupConv(nn.Module):
    """A convolution, separable or dense, and a gate: (batch, d, h, w) -> the same.

    Args:
        width: d.
        separable: a depthwise 3x3, then a 1x1 convolution: 9 d + d^2 weights for 9 d^2.
        gate: multiply the result by a 1x1, a depthwise 5x5 and a depthwise 5x5 of dilation 3 of
            itself, which see 17x17 pixels: the attention of VapSR (Zhou et al. 2022,
            https://arxiv.org/abs/2210.05960).
    """

    def __init__(self, width: int, separable: bool, gate: bool) -> None:
        super().__init__()
        dense = nn.Conv2d(width, width, 3, padding=1)
        depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.body = nn.Sequential(depthwise, nn.Conv2d(width, width, 1)) if separable else dense
        self.gate = (
            nn.Sequential(
                nn.Conv2d(width, width, 1),
                nn.Conv2d(width, width, 5, padding=2, groups=width),
                nn.Conv2d(width, width, 5, padding=6, dilation=3, groups=width),
            )
            if gate
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, d, h, w) -> the same."""
        y: Tensor = self.body(x)
        if self.gate is None:
            return y
        gated: Tensor = y * self.gate(y)
        return gated
