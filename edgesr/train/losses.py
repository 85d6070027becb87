"""Losses between pictures, and distillation, which is a loss like any other."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgesr.models.network import SRNetwork
from edgesr.train.affinity import affinity_loss, features_of, paired_layers
from edgesr.train.config import Distillation, LossName, Precision

CHARBONNIER_EPSILON = 1e-3  # Lai et al. 2017 (LapSRN), https://arxiv.org/abs/1704.03915
FOURIER_WEIGHT = 0.05  # Cho et al. 2021 (MIMO-UNet) use 0.1 on unnormalised sums

Loss = Callable[[Tensor, Tensor], Tensor]


def charbonnier(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean of sqrt(difference^2 + epsilon^2): L1, smooth at zero."""
    return torch.sqrt((prediction - target).square() + CHARBONNIER_EPSILON**2).mean()


def l1_fourier(prediction: Tensor, target: Tensor) -> Tensor:
    """L1 in the picture plus a weighted L1 between orthonormal 2-D spectra: (batch, 3, h, w) both.

    Source of the idea: Cho et al. 2021, https://arxiv.org/abs/2108.05054, equation 5.
    """
    spectrum = torch.fft.rfft2(prediction - target, norm="ortho")  # the transform is linear
    return (
        F.l1_loss(prediction, target) + FOURIER_WEIGHT * torch.view_as_real(spectrum).abs().mean()
    )


LOSSES: dict[LossName, Loss] = {
    "l1": F.l1_loss,
    "l2": F.mse_loss,
    "charbonnier": charbonnier,
    "l1-fourier": l1_fourier,
}


class Objective(nn.Module):
    """Network and loss as one module, so that DistributedDataParallel sees a single forward.

    Args:
        network: the network to train.
        loss: between a prediction and its target.
        teacher: a frozen network to run on every batch; None without one, or where its outputs
            come with the batch. It is no submodule: neither trained nor saved nor synchronised.
        distillation: gives alpha and the weight of the affinity loss; None without a teacher.
        precision: `bf16` runs both networks under autocast, `auto` does so on a GPU.

    Raises:
        ConfigError: features are to be compared and one of the networks names none.
    """

    def __init__(
        self,
        network: SRNetwork,
        loss: Loss,
        precision: Precision,
        teacher: SRNetwork | None = None,
        distillation: Distillation | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self._loss = loss
        self._precision = precision
        self._alpha = 0.0 if distillation is None else distillation.alpha
        self._affinity = 0.0 if distillation is None else distillation.feature_affinity
        self._teacher: tuple[SRNetwork] | None = None  # a tuple hides it from nn.Module
        if teacher is not None and (self._alpha > 0 or self._affinity > 0):
            self._teacher = (teacher,)
        self._layers: tuple[tuple[nn.Module, ...], ...] = ((), ())
        if teacher is not None and self._affinity > 0:
            self._layers = paired_layers(network, teacher)

    def forward(self, lr: Tensor, hr: Tensor, taught: Tensor | None = None) -> Tensor:
        """Return the loss of a batch, a float32 scalar.

        Args:
            lr: (batch, 3, p, p) in [0, 1].
            hr: (batch, 3, scale*p, scale*p) in [0, 1].
            taught: the teacher's outputs, of the shape of `hr`, where they were made before.
        """
        device = lr.device.type
        bf16 = self._precision == "bf16" or (self._precision == "auto" and device == "cuda")
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            ours, theirs = self._layers
            with torch.no_grad(), features_of(theirs) as taught_features:
                if self._teacher is not None:
                    taught = self._teacher[0](lr).to(hr.dtype)
            if taught is None:
                prediction, truth = self.network.training_pair(lr, hr)
                return self._loss(prediction.float(), truth)
            with features_of(ours) as features:
                # A target depends on its own picture only, so both kinds go through in one call.
                prediction, targets = self.network.training_pair(lr, torch.cat([hr, taught]))
        truth, lesson = targets.chunk(2)
        prediction = prediction.float()
        loss = self._alpha * self._loss(prediction, lesson) + (1 - self._alpha) * self._loss(
            prediction, truth
        )
        if self._affinity == 0:
            return loss
        height, width = lr.shape[-2:]
        return loss + self._affinity * affinity_loss(features, taught_features, height, width)
