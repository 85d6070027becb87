"""What happens to each picture of a batch, as a pure function of (seed, step).

As with the crops (edgesr/train/sampler.py) nothing has a state: the batch of step k is the same
whether the run came there in one go, after a kill, or on several processes.

Ranges are those of Real-ESRGAN's published training file (Wang et al. 2021,
https://arxiv.org/abs/2107.10833: blur of 0.2 to 3 pixels of a picture to be reduced four times,
resizing by 0.15 to 1.5, noise of 1 to 30 levels, JPEG 30 to 95, all twice), but milder on the
whole: half of what is drawn lies in the lowest quarter of a range of blur or noise, most pictures
skip most steps, and some come as they are.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgesr.train.degradation.resize import BICUBIC, KERNELS

_STREAM = 2  # of random numbers; the sampler has 0 and 1

CLEAN = 0.4  # share of pictures that stay as MATLAB's bicubic made them
BLUR, BLUR_PX = 0.3, (0.2, 3.0)  # share; standard deviation in HR pixels at x4
ANISOTROPIC = 0.4  # of the blurred
FORMER, FORMER_SIZE = 0.25, (0.6, 2.0)  # share that once had another size; its side over LR's
FORMER_NOISE, FORMER_JPEG = 0.3, 0.7  # of those
RESIZED = 0.4  # share whose last reduction is by any kernel, else bicubic
NOISE, NOISE_LEVELS = 0.25, (1.0, 25.0)  # share; standard deviation in grey levels
SHOT, GREY = 0.4, 0.4  # of the noisy: variance follows the signal; the same in R, G and B
JPEG, JPEG_QUALITY = 0.8, (30, 95)  # share; of the LR file itself


@dataclass(frozen=True)
class Draw:
    """One batch; every field (batch,) float32, flags are 0 or 1.

    Attributes:
        clean: stays undegraded; the other fields then do not matter.
        sigma: of the blur along its first axis, in HR pixels at x4; 0 for none.
        other_sigma: along its second axis.
        angle: of the first axis, in radians.
        former: first made a picture of another size.
        former_size: its side over LR's.
        former_kernel: that made it, of `resize`.
        former_noise: standard deviation in grey levels; 0 for none.
        former_shot: its variance follows the signal.
        former_grey: it is the same in all channels.
        former_jpeg: quality; 0 for no JPEG.
        kernel: that made LR.
        noise: as `former_noise`, of LR.
        shot: as `former_shot`.
        grey: as `former_grey`.
        jpeg: as `former_jpeg`.
        grid_row: place of LR's first row in the 16x16 grid of its JPEG file.
        grid_column: of its first column.
    """

    clean: Tensor
    sigma: Tensor
    other_sigma: Tensor
    angle: Tensor
    former: Tensor
    former_size: Tensor
    former_kernel: Tensor
    former_noise: Tensor
    former_shot: Tensor
    former_grey: Tensor
    former_jpeg: Tensor
    kernel: Tensor
    noise: Tensor
    shot: Tensor
    grey: Tensor
    jpeg: Tensor
    grid_row: Tensor
    grid_column: Tensor

    def part(self, rank: int, of: int) -> "Draw":
        """Return the slice that process `rank` of `of` takes; the batch must divide evenly."""
        return Draw(*(field.chunk(of)[rank] for field in self._fields()))

    def packed(self, device: torch.device) -> Tensor:
        """Return all fields, (fields, batch), copied to a device in one transfer."""
        packed = torch.stack(self._fields())
        if device.type == "cuda":
            packed = packed.pin_memory().to(device, non_blocking=True)
        return packed

    def _fields(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in fields(self)]


def draw(seed: int, step: int, batch: int) -> Draw:
    """Draw the whole batch of a step, on the CPU."""
    random = _Random(seed, step, batch)
    blurred = random.flag(BLUR)
    sigma = blurred * random.low(*BLUR_PX)
    other = np.where(random.flag(ANISOTROPIC), blurred * random.low(*BLUR_PX), sigma)
    low, high = FORMER_SIZE
    values = {
        "clean": random.flag(CLEAN),
        "sigma": sigma,
        "other_sigma": other,
        "angle": math.pi * random.unit(),
        "former": random.flag(FORMER),
        "former_size": low * (high / low) ** random.unit(),
        "former_kernel": random.whole(0, KERNELS - 1),
        "former_noise": random.flag(FORMER_NOISE) * random.low(*NOISE_LEVELS),
        "former_shot": random.flag(SHOT),
        "former_grey": random.flag(GREY),
        "former_jpeg": random.flag(FORMER_JPEG) * random.whole(*JPEG_QUALITY),
        "kernel": np.where(random.flag(RESIZED), random.whole(0, KERNELS - 1), BICUBIC),
        "noise": random.flag(NOISE) * random.low(*NOISE_LEVELS),
        "shot": random.flag(SHOT),
        "grey": random.flag(GREY),
        "jpeg": random.flag(JPEG) * random.whole(*JPEG_QUALITY),
        "grid_row": random.whole(0, 15),
        "grid_column": random.whole(0, 15),
    }
    return Draw(**{name: torch.from_numpy(value).float() for name, value in values.items()})


def noise_seed(seed: int, step: int) -> int:
    """Return the seed of a step's noise, which is drawn on the device."""
    return int(np.random.SeedSequence([seed, _STREAM, step]).generate_state(1, np.uint64)[0] >> 1)


class _Random:
    """Draws for every picture of a batch."""

    def __init__(self, seed: int, step: int, batch: int) -> None:
        self._generator = np.random.default_rng([seed, _STREAM, step])
        self._batch = batch

    def unit(self) -> NDArray[Any]:
        return self._generator.random(self._batch)

    def flag(self, share: float) -> NDArray[Any]:
        return (self.unit() < share).astype(np.float64)

    def low(self, low: float, high: float) -> NDArray[Any]:
        """Half of the values lie in the lowest quarter."""
        return low + (high - low) * self.unit() ** 2

    def whole(self, low: int, high: int) -> NDArray[Any]:
        return self._generator.integers(low, high, self._batch, endpoint=True).astype(np.float64)
