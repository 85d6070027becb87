"""Which crops make up a batch, as a pure function of (seed, step).

Nothing here has a state: the crops of step k are the same whether the run came there in one go,
after a kill, or on several machines that each take their slice. The only checkpoint is the step.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgesr.errors import Argument, DataError
from edgesr.train.pixels import Pixels

_CROPS, _ORDERS = 0, 1  # streams of random numbers: one a step, one a pass over the pictures


@dataclass(frozen=True)
class Crops:
    """Where the patches of a batch lie; all (batch,) int64.

    Attributes:
        offset: flat LR position of the picture's first pixel.
        height: LR rows of the picture.
        width: LR columns of the picture.
        row: LR row of the crop's top left pixel.
        column: LR column of the crop's top left pixel.
        turn: 0 to 7, an element of the square's symmetry group (see cut.py).
    """

    offset: Tensor
    height: Tensor
    width: Tensor
    row: Tensor
    column: Tensor
    turn: Tensor

    def part(self, rank: int, of: int) -> "Crops":
        """Return the slice that process `rank` of `of` takes; the batch must divide evenly."""
        return Crops(*(field.chunk(of)[rank] for field in self._fields()))

    def to(self, device: torch.device) -> "Crops":
        """Copy to a device in one transfer."""
        packed = torch.stack(self._fields())
        if device.type == "cuda":
            packed = packed.pin_memory().to(device, non_blocking=True)
        return Crops(*packed)

    def _fields(self) -> tuple[Tensor, ...]:
        return self.offset, self.height, self.width, self.row, self.column, self.turn


class PatchSampler:
    """Draws the crops of each step.

    Args:
        pixels: gives the table of pictures.
        patch: LR side of a crop; smaller pictures are left out (`skipped` counts them).
        batch: crops in a step, over all processes.
        seed: of every draw.
        patches_per_image: None draws pictures by area; a number draws them in shuffled epochs and
            takes this many crops of each.

    Raises:
        DataError: every picture is smaller than a patch.
    """

    def __init__(
        self, pixels: Pixels, patch: int, batch: int, seed: int, patches_per_image: int | None
    ) -> None:
        usable = pixels.holding(patch)
        self.skipped = int((~usable).sum())
        self.pictures = int(usable.sum())
        if not self.pictures:
            side = patch * pixels.scale
            raise DataError(
                f"all {self.skipped} pictures are smaller than a patch of {side}x{side} pixels",
                where=Argument("data"),
                fix=f"larger pictures, or --patch below {patch}",
            )
        self._heights, self._widths = pixels.heights[usable], pixels.widths[usable]
        self._offsets = pixels.offsets[usable]
        self._area = (self._heights * self._widths).double().cumsum(0)
        self._patch, self._batch, self._seed = patch, batch, seed
        self._each = patches_per_image

    def crops(self, step: int) -> Crops:
        """Return the whole batch of a step, on the CPU."""
        draw = np.random.default_rng([self._seed, _CROPS, step])
        unit = torch.from_numpy(draw.random((4, self._batch)))
        picture = self._by_area(unit[0]) if self._each is None else self._by_epoch(step, self._each)
        offset = self._offsets[picture]
        height, width = self._heights[picture], self._widths[picture]
        row = (unit[1] * (height - self._patch + 1)).long()
        column = (unit[2] * (width - self._patch + 1)).long()
        return Crops(offset, height, width, row, column, (unit[3] * 8).long())

    def _by_area(self, unit: Tensor) -> Tensor:
        at = torch.searchsorted(self._area, unit * self._area[-1], right=True)
        return at.clamp_(max=self.pictures - 1)

    def _by_epoch(self, step: int, each: int) -> Tensor:
        """Pictures in the order of a fresh permutation for every pass over the set."""
        count = self._batch // each
        slot = torch.arange(step * count, (step + 1) * count)
        epoch = slot // self.pictures
        drawn = torch.empty_like(slot)
        for number in set(epoch.tolist()):
            draw = np.random.default_rng([self._seed, _ORDERS, number])
            order = torch.from_numpy(draw.permutation(self.pictures))
            inside = epoch == number
            drawn[inside] = order[slot[inside] % self.pictures]
        return drawn.repeat_interleave(each)
