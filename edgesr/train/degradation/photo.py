"""LR patches as photographs are found: blurred, resized, noisy, saved as JPEG, some of them clean.

    HR with a margin ── blur ──┬── resize ── noise ── JPEG ── resize ──┬── noise ── JPEG ── LR
                               └──────────────── resize ───────────────┘

The upper way is that of a picture that was once saved at another size. Every picture of a batch has
its own strengths, or skips a step (draw.py), but all go through the same operations in the same
shapes: none depends on what was drawn. So nothing waits for the device, and a GPU gets a thousand
kernels in one launch.
"""

import torch
from torch import Tensor

from edgesr.train.degradation.blur import covariances, gaussian_blur
from edgesr.train.degradation.draw import FORMER_SIZE, Draw, draw, noise_seed
from edgesr.train.degradation.jpeg import UNIT, through_jpeg
from edgesr.train.degradation.noise import add_noise
from edgesr.train.degradation.resize import matrices, resize
from edgesr.train.replay import Replay

MARGIN = 8  # LR pixels around a patch that may be looked at: the whole JPEG blocks at its edges
WARM_UP = 3  # batches before the recording: plans of Fourier transforms, algorithms of products
BLUR_SCALE = 4  # at which the blur is drawn; at others the same blur of LR


class Photo:
    """Makes the LR patches of a batch.

    Args:
        seed: of every draw.
        batch: patches in a step, over all processes.
        patch: LR side.
        scale: factor between the sides.
        device: where the pictures are.
        rank: this process has slice `rank` ...
        size: ... of `size` of every batch.
    """

    def __init__(
        self,
        seed: int,
        batch: int,
        patch: int,
        scale: int,
        device: torch.device,
        rank: int = 0,
        size: int = 1,
    ) -> None:
        self.margin = MARGIN
        self._seed, self._batch, self._scale, self._device = seed, batch, scale, device
        self._rank, self._size, self._patch = rank, size, patch
        wide = patch + 2 * MARGIN
        self._wide = scale * wide
        self._former = _whole_units(int(FORMER_SIZE[1] * wide))
        self._canvas = _whole_units(patch + UNIT - 1)
        self._generator = torch.Generator(device)
        self._run = Replay(self._degraded, device.type == "cuda", WARM_UP)

    def __call__(self, step: int, lr: Tensor, hr: Tensor) -> Tensor:
        """Return this process's LR patches of a step.

        Args:
            step: with the seed, decides everything.
            lr: (batch, 3, p, p) uint8, made by MATLAB's bicubic; clean pictures keep it.
            hr: (batch, 3, s*(p + 2m), s*(p + 2m)) uint8: the HR patches with `margin` m LR pixels
                around them, of the same part of the batch.

        Returns:
            (batch, 3, p, p) float32, whole numbers from 0 to 255, channels last in memory; the next
            call may overwrite it.
        """
        drawn = draw(self._seed, step, self._batch).part(self._rank, self._size)
        return self._run(lr, hr, drawn.packed(self._device), *self._normals(step))

    def _degraded(
        self, lr: Tensor, hr: Tensor, packed: Tensor, former_noise: Tensor, noise: Tensor
    ) -> Tensor:
        drawn = Draw(*packed)
        blurred = self._blurred(hr, drawn)
        centres = [self._centres(grid) for grid in (drawn.grid_row, drawn.grid_column)]
        former = self._former_picture(blurred, drawn, former_noise)
        canvas = torch.where(
            _mask(drawn.former),
            self._reduced(former, centres, drawn, self._former_step(drawn)),
            self._reduced(blurred, centres, drawn, torch.ones_like(drawn.former)),
        )
        saved = _saved(add_noise(canvas, noise, drawn.noise, drawn.shot, drawn.grey), drawn.jpeg)
        patches = torch.where(_mask(drawn.clean), lr.float(), self._cut(saved, drawn))
        return patches.contiguous(memory_format=torch.channels_last)

    def _normals(self, step: int) -> list[Tensor]:
        """Standard normal numbers for both places of noise: this process's part of the batch's."""
        self._generator.manual_seed(noise_seed(self._seed, step))
        drawn = [
            torch.randn(
                (self._batch, 3, side, side), generator=self._generator, device=self._device
            )
            for side in (self._former, self._canvas)
        ]
        return [numbers.chunk(self._size)[self._rank] for numbers in drawn]

    def _blurred(self, hr: Tensor, drawn: Draw) -> Tensor:
        widen = self._scale / BLUR_SCALE
        covariance = covariances(drawn.sigma * widen, drawn.other_sigma * widen, drawn.angle)
        return gaussian_blur(hr.float().contiguous(), covariance)

    def _former_step(self, drawn: Draw) -> Tensor:
        """(batch,): HR pixels from one pixel of the former picture to the next."""
        return self._wide / self._former_side(drawn)

    def _former_side(self, drawn: Draw) -> Tensor:
        return (drawn.former_size * (self._patch + 2 * MARGIN)).round()

    def _former_picture(self, hr: Tensor, drawn: Draw, normal: Tensor) -> Tensor:
        """(batch, 3, s, s), of which the first `_former_side` rows and columns are the picture."""
        step = self._former_step(drawn)
        at = torch.arange(self._former, device=self._device)
        centres = (at + 0.5) * step[:, None] - 0.5
        samples = torch.full_like(step, self._wide)
        weights = matrices(centres, step, drawn.former_kernel, samples, self._wide)
        picture = resize(hr, weights, weights)
        noisy = add_noise(picture, normal, drawn.former_noise, drawn.former_shot, drawn.former_grey)
        return _saved(noisy, drawn.former_jpeg)

    def _centres(self, grid: Tensor) -> Tensor:
        """(batch,) -> (batch, canvas): HR positions of the pixels of LR and what lies around it.

        LR begins at pixel `grid` of its canvas, whose first pixel is the first of a JPEG block.
        """
        at = torch.arange(self._canvas, device=self._device)
        return (at - grid[:, None] + MARGIN + 0.5) * self._scale - 0.5

    def _reduced(
        self, pictures: Tensor, centres: list[Tensor], drawn: Draw, step: Tensor
    ) -> Tensor:
        """Reduce pictures with one pixel every `step` HR pixels to the canvas of LR."""
        samples = (self._wide / step).round()
        rows, columns = (
            matrices(
                (at + 0.5) / step[:, None] - 0.5,
                self._scale / step,
                drawn.kernel,
                samples,
                pictures.shape[-1],
            )
            for at in centres
        )
        return resize(pictures, rows, columns)

    def _cut(self, canvas: Tensor, drawn: Draw) -> Tensor:
        """Take LR out of its canvas."""
        at = torch.arange(self._patch, device=self._device)
        rows = drawn.grid_row.long()[:, None] + at
        columns = drawn.grid_column.long()[:, None] + at
        number = torch.arange(len(canvas), device=self._device)[:, None, None]
        cut = canvas.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None, :]]
        return cut.permute(0, 3, 1, 2)


def _saved(pictures: Tensor, quality: Tensor) -> Tensor:
    """Round to 8 bits, and save as JPEG where `quality` is not 0."""
    whole = (pictures + 0.5).floor().clamp(0, 255)
    return torch.where(_mask(quality), through_jpeg(whole, quality.clamp(min=1)), whole)


def _mask(flag: Tensor) -> Tensor:
    return (flag > 0)[:, None, None, None]


def _whole_units(side: int) -> int:
    """Return `side` rounded up to whole coded units of a JPEG file."""
    return -(-side // UNIT) * UNIT
