"""Gaussian blur with a covariance of its own for every picture, by its transfer function.

The Fourier transform of a Gaussian is a Gaussian, so no kernel is cut off and the time does not
depend on its width. What leaves the picture on one side comes in on the other: pictures need a
margin of three standard deviations that is thrown away afterwards.
"""

import math

import torch
from torch import Tensor


def gaussian_blur(pictures: Tensor, covariance: Tensor) -> Tensor:
    """Blur every picture.

    Args:
        pictures: (batch, channels, height, width).
        covariance: (batch, 3): variance along the rows' axis (y), along x, and covariance of the
            two, in pixels^2; zeros leave a picture as it is.

    Returns:
        The same shape.
    """
    height, width = pictures.shape[-2:]
    fy = 2 * math.pi * torch.fft.fftfreq(height, device=pictures.device)[:, None]
    fx = 2 * math.pi * torch.fft.rfftfreq(width, device=pictures.device)[None, :]
    vy, vx, both = (part[:, None, None] for part in covariance.unbind(1))
    transfer = torch.exp(-(vy * fy**2 + vx * fx**2 + 2 * both * fy * fx) / 2)
    spectrum = torch.fft.rfft2(pictures) * transfer[:, None]
    blurred: Tensor = torch.fft.irfft2(spectrum, s=(height, width))
    return blurred


def covariances(sigma: Tensor, other_sigma: Tensor, angle: Tensor) -> Tensor:
    """Return (batch, 3) for `gaussian_blur`.

    Args:
        sigma: (batch,) standard deviation along the first axis of the ellipse, in pixels.
        other_sigma: (batch,) along the second.
        angle: (batch,) of the first axis from x towards y, in radians.
    """
    a, b = sigma**2, other_sigma**2
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.stack(
        [a * sin**2 + b * cos**2, a * cos**2 + b * sin**2, (a - b) * sin * cos], dim=1
    )
