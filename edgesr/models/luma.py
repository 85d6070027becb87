"""Networks that enlarge the luma alone, wrapped into RGB -> RGB inside the graph.

The eSR family, ESPCN and FSRCNN take one channel: Y of BT.601 in MATLAB's range (`rgb2ycbcr`),
divided by 255, so 16/255 for black and 235/255 for white. Colour is enlarged by bicubic.

With y the luma over [0, 1] and grey = (y, y, y), RGB - grey is a linear map of (Cb, Cr), and
bicubic enlargement is linear, so enlarging Cb and Cr and converting back to RGB is

    bicubic(RGB - grey) + enlarged grey

which needs no conversion at the large size. docs/networks.md gives the reason for the range.
"""

import torch
from torch import Tensor, nn

from edgesr.models.bicubic import FixedConv2d, Polyphase
from edgesr.models.network import SRNetwork

BT601 = (0.299, 0.587, 0.114)  # weights of R, G and B in the luma
BLACK, WHITE = 16 / 255, 235 / 255  # of Y in MATLAB's range
RANGE = WHITE - BLACK


class LumaNetwork(SRNetwork):
    """Base of the Y networks: a subclass gives `enlarge_luma` and has its published state names.

    What is added here has no state: the colour path is made of constants.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        weights = torch.tensor(BT601)
        self.to_luma = FixedConv2d((RANGE * weights).view(1, 3, 1, 1), bias=torch.tensor([BLACK]))
        # Bicubic keeps constants: what grey = (y - BLACK) / RANGE takes off is taken off small.
        self.to_chroma = FixedConv2d(
            (torch.eye(3) - weights).view(3, 3, 1, 1), bias=torch.full((3,), -BLACK / RANGE)
        )
        self.enlarge_chroma = Polyphase(scale)

    def enlarge_luma(self, y: Tensor) -> Tensor:
        """(batch, 1, h, w) -> (batch, 1, scale*h, scale*w), Y in [16/255, 235/255], not clipped."""
        raise NotImplementedError

    def forward(self, lr: Tensor) -> Tensor:
        """(batch, 3, h, w) in [0, 1] -> (batch, 3, scale*h, scale*w), not clipped."""
        y = self.enlarge_luma(self.to_luma(lr))
        chroma: Tensor = self.enlarge_chroma(self.to_chroma(lr))
        return chroma + y * (1 / RANGE)

    def training_pair(self, lr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
        """Return Y of the prediction and Y of the target, (batch, 1, scale*h, scale*w) each."""
        return self.enlarge_luma(self.to_luma(lr)), self.to_luma(hr)


def start_as_copy(conv: nn.Conv2d) -> None:
    """Initialise a convolution so that every output starts near its first input channel.

    Xavier noise with 1 at the centre: how the eSR authors start, so that a network need not first
    learn to show the picture at all.
    """
    nn.init.xavier_normal_(conv.weight)
    rows, columns = conv.kernel_size
    with torch.no_grad():
        conv.weight[:, 0, rows // 2, columns // 2] = 1.0
