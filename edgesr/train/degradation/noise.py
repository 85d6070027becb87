"""Noise of sensors, with a strength and a kind of its own for every picture."""

import torch
from torch import Tensor

from edgesr.train.degradation.constants import constant

MIDDLE = 127.5  # grey level at which shot noise has the strength that was asked for
LUMA = (0.299, 0.587, 0.114)


def add_noise(
    pictures: Tensor, normal: Tensor, level: Tensor, shot: Tensor, grey: Tensor
) -> Tensor:
    """Add Gaussian noise, or shot noise, whose variance is proportional to the signal.

    Shot noise is Poisson's in a camera; from some ten photons on, a normal distribution of the same
    variance is the same, and needs no numbers that depend on the picture.

    Args:
        pictures: (batch, 3, height, width) in grey levels, 0 to 255.
        normal: the same shape, standard normal.
        level: (batch,) standard deviation in grey levels, of shot noise in a middle grey.
        shot: (batch,) 1 for shot noise.
        grey: (batch,) 1 for the same noise in R, G and B, which then follows the luma.

    Returns:
        The same shape, not rounded or clipped.
    """
    shot, grey = shot.bool()[:, None, None, None], grey.bool()[:, None, None, None]
    luma = (pictures * constant(LUMA, pictures.device)[:, None, None]).sum(1, keepdim=True)
    signal = torch.where(grey, luma, pictures)
    normal = torch.where(grey, normal[:, :1], normal)
    strength = torch.where(shot, (signal.clamp(min=0) / MIDDLE).sqrt(), 1.0)
    return pictures + level[:, None, None, None] * strength * normal
