"""Batches for the training loop: cut on the device if the pictures fit, else on the host."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import torch
from torch import Tensor

from edgesr.train.cut import gather, slices
from edgesr.train.degradation import Photo
from edgesr.train.pixels import WHITE, Pixels
from edgesr.train.sampler import PatchSampler

_AHEAD = 4  # batches cut on the host while the device works

Batch = tuple[Tensor, ...]
"""LR patches, HR patches and, where a teacher ran before the first step, its outputs for them."""


class Feeder:
    """Yields (lr, hr) or (lr, hr, taught) of one process, float32 in [0, 1] on the device.

    Args:
        pixels: all pictures, in host memory or mapped from a file.
        sampler: draws the crops of the whole batch.
        patch: LR side of a crop.
        device: where the batches go.
        on_device: copy the pictures to the device and cut there.
        rank: this process takes slice `rank` ...
        size: ... of `size` of every batch.
        photo: makes the LR patches; None takes those of `pixels`, made by MATLAB's bicubic.
    """

    def __init__(
        self,
        pixels: Pixels,
        sampler: PatchSampler,
        patch: int,
        device: torch.device,
        on_device: bool,
        rank: int = 0,
        size: int = 1,
        photo: Photo | None = None,
    ) -> None:
        self.on_device = on_device
        self._pixels = pixels.to(device) if on_device else pixels
        self._sampler, self._patch, self._device = sampler, patch, device
        self._rank, self._size, self._photo = rank, size, photo
        self._margin = 0 if photo is None else photo.margin

    def batches(self, first_step: int) -> Iterator[Batch]:
        """Yield the batches of `first_step`, `first_step + 1`, ... without end."""
        cut = self._cut_on_device if self.on_device else self._cut_on_host
        for step, (lr, hr, *taught) in zip(count(first_step), cut(first_step), strict=False):
            small = lr.float() if self._photo is None else self._photo(step, lr, hr)
            lessons = (output.float() / WHITE for output in taught)
            yield small / 255, self._inner(hr).float() / 255, *lessons

    def _inner(self, hr: Tensor) -> Tensor:
        """Cut the margin off."""
        border = self._margin * self._pixels.scale
        inner = hr[..., border : hr.shape[-2] - border, border : hr.shape[-1] - border]
        return inner.contiguous(memory_format=torch.channels_last)

    def _cut_on_device(self, first_step: int) -> Iterator[Batch]:
        for step in count(first_step):
            crops = self._sampler.crops(step).part(self._rank, self._size)
            yield gather(self._pixels, crops.to(self._device), self._patch, self._margin)

    def _cut_on_host(self, first_step: int) -> Iterator[Batch]:
        """Cut in threads, so that the cutting and the copy overlap with the steps before."""
        with ThreadPoolExecutor(_AHEAD) as pool:
            waiting: deque[Future[Batch]] = deque()
            for step in count(first_step):
                waiting.append(pool.submit(self._slices, step))
                if len(waiting) > _AHEAD:
                    cut = waiting.popleft().result()
                    yield tuple(part.to(self._device, non_blocking=True) for part in cut)

    def _slices(self, step: int) -> Batch:
        crops = self._sampler.crops(step).part(self._rank, self._size)
        pin = self._device.type == "cuda"
        return slices(self._pixels, crops, self._patch, pin, self._margin)
