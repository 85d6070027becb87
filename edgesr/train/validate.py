"""PSNR of the averaged weights on a benchmark set: what `edgesr eval` would say of them."""

from pathlib import Path
from statistics import fmean

import torch

from edgesr.errors import ModelError
from edgesr.evaluate.datasets import Images, open_sets
from edgesr.evaluate.evaluate import score
from edgesr.models.network import SRNetwork
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.torch_session import TorchSession
from edgesr.train.world import convolutions


class Validation:
    """One or more benchmark sets, decoded once.

    Args:
        folder: a set (HR/ and perhaps LRx4/) or a folder of sets.
        scale: factor between the sides.

    Raises:
        DataError: no set, or files that do not fit each other.
        ImageError: a damaged file, or a picture too small for the metrics.
    """

    def __init__(self, folder: Path, scale: int) -> None:
        sets = open_sets([folder], scale)
        self._images = [pair.load() for benchmark in sets for pair in benchmark.pairs]
        for _, hr in self._images:
            score(hr, hr, scale)  # a picture too small for the metrics shows now, not in an hour

    def psnr_y_db(self, network: SRNetwork, name: str, device: torch.device) -> float | None:
        """Return the mean PSNR-Y in dB over the pictures, taken whole, in float32.

        None if the network's pictures are broken, which they may be early in a run.
        """
        session = TorchSession(network.eval(), name, str(device))
        try:
            # Pictures come in many sizes: trying every algorithm for each would not pay.
            with convolutions(fastest=False):
                return fmean(self._psnr_y_db(session, images) for images in self._images)
        except ModelError:
            return None
        finally:
            network.train()

    def _psnr_y_db(self, session: TorchSession, images: Images) -> float:
        lr, hr = images
        return score(upscale_picture(session, lr).picture, hr, session.scale).psnr_y_db
