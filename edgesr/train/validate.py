"""PSNR of the averaged weights on a benchmark set, whole pictures, by the evaluation's protocol."""

from pathlib import Path

import numpy as np
import torch

from edgesr.errors import DataError
from edgesr.evaluate.metrics import psnr_y
from edgesr.models.network import SRNetwork
from edgesr.train.images import Pair, list_images, pairs


class Validation:
    """A benchmark set, decoded once.

    Args:
        folder: holds HR/, or HR pictures themselves; LR pictures are made from them.
        scale: factor between the sides.

    Raises:
        DataError: no picture in the folder, or one that cannot be read.
    """

    def __init__(self, folder: Path, scale: int) -> None:
        files = list_images(folder)
        self._pairs: list[Pair] = []
        for file, pair in zip(files, pairs(files, scale), strict=True):
            if pair is None:
                raise DataError("cannot be read as a picture", where=file)
            self._pairs.append(pair)

    def psnr_y_db(self, network: SRNetwork, device: torch.device) -> float:
        """Return the mean PSNR-Y in dB over the set, in float32 on `device`."""
        training = network.training
        network.eval()
        try:
            values = [
                psnr_y(upscaled(network, pair.lr, device), pair.hr, border=network.scale)
                for pair in self._pairs
            ]
        finally:
            network.train(training)
        return float(np.mean(values))


@torch.inference_mode()
def upscaled(network: SRNetwork, lr: np.ndarray, device: torch.device) -> np.ndarray:
    """Run one whole picture: (h, w, 3) uint8 to (scale*h, scale*w, 3) uint8."""
    x = torch.from_numpy(lr).to(device).permute(2, 0, 1)[None].float() / 255
    # Pictures come in many sizes: trying every convolution algorithm for each would not pay.
    with torch.backends.cudnn.flags(enabled=True, benchmark=False):
        y = network(x)
    rounded = (y[0].clamp(0, 1) * 255).round().to(torch.uint8)
    result: np.ndarray = rounded.permute(1, 2, 0).cpu().numpy()
    return result
