"""What a teacher makes of a finite training set: computed once for whole pictures, then cropped.

Where LR depends on nothing but its picture, so does the teacher's output, and running the teacher
in every step repeats itself. So every LR picture goes through it once, in float32, and its output
lies beside HR and is cut and turned with it: a step of distillation costs what any step costs.

The teacher sees the picture and not the patch, which is what it is measured on: nothing is invented
at the borders of a patch, and what looks at everything (a scan, a mean over the picture) sees
everything. Sides are continued by reflection to a multiple of `UNIT`, so that a set of many sizes
compiles few kernels; pictures larger than `LARGEST` go through in overlapping tiles.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgesr.errors import DataError
from edgesr.files import atomic_path, make_folder, sha256
from edgesr.imaging.tiling import Indices
from edgesr.models.network import SRNetwork
from edgesr.runtime.torch_session import TorchSession
from edgesr.runtime.upscale import upscale_bands
from edgesr.train.pixels import WHITE, Pixels, memory_bytes
from edgesr.train.world import convolutions

FORMAT = "edgesr-teacher-outputs/2"
UNIT = 64  # LR pixels
LARGEST = 512  # LR side that goes through the teacher at once
OVERLAP = 32  # LR pixels that the tiles of a larger picture share

Taught = Callable[[int, int], None]
"""Told after every picture how many the teacher has enlarged, of how many."""


class Teacher(NamedTuple):
    """A network to learn from.

    Attributes:
        network: with its weights, in eval mode, frozen, on the device.
        name: in the registry.
        file: of its weights.
    """

    network: SRNetwork
    name: str
    file: Path


def teacher_outputs(
    teacher: Teacher,
    pixels: Pixels,
    patch: int,
    cache: Path | None,
    device: torch.device,
    taught: Taught,
) -> Tensor:
    """Return what the teacher makes of every picture from which a patch can be cut.

    Args:
        teacher: enlarges by `pixels.scale`.
        pixels: the pictures, in memory or mapped from a file.
        patch: LR side of a patch; smaller pictures are passed over, and zero in the result.
        cache: folder for the result, which the next run with this teacher and these LR pictures
            reads; None keeps it in memory.
        device: where the teacher is.
        taught: told how many pictures are done, of how many.

    Returns:
        (scale^2 * pixels, 3) int16, laid out as `pixels.hr`: 0 is black, `WHITE` is 1.

    Raises:
        DataError: memory cannot hold it, and there is no cache.
        ConfigError: the cache cannot be written.
        EdgesrError: the disk is full.
        ModelError: the teacher's picture is black or not finite.
    """
    if cache is None:
        _check_memory(pixels)
        outputs = np.zeros(tuple(pixels.hr.shape), np.int16)
        _fill(outputs, teacher, pixels, patch, device, taught)
        return torch.from_numpy(outputs)
    make_folder(cache)
    path = cache / f"teacher_x{pixels.scale}_{_key(teacher, pixels, patch)[:32]}.i16"
    shape, size = tuple(pixels.hr.shape), 2 * pixels.hr.numel()
    if not (path.is_file() and path.stat().st_size == size):
        with atomic_path(path) as new:
            mapped = np.memmap(new, np.int16, "w+", shape=shape)
            _fill(mapped, teacher, pixels, patch, device, taught)
            mapped.flush()
            del mapped
    return torch.from_numpy(np.memmap(path, np.int16, "c", shape=shape))


def _check_memory(pixels: Pixels) -> None:
    needed = pixels.nbytes + 2 * pixels.hr.numel()
    if needed > memory_bytes():
        raise DataError(
            f"pictures and the teacher's outputs would take {needed / 1e9:.1f} GB",
            where="memory",
            fix="--cache FOLDER (keeps both on disk)",
        )


def _key(teacher: Teacher, pixels: Pixels, patch: int) -> str:
    """Return a hash of all that the outputs depend on: other weights or pictures, another key."""
    digest = hashlib.sha256()
    for part in (FORMAT, teacher.name, sha256(teacher.file), str(pixels.scale)):
        digest.update(f"{part}\n".encode())
    for table in (pixels.heights, pixels.widths, pixels.holding(patch), pixels.lr):
        digest.update(np.ascontiguousarray(table.numpy()).data)
    return digest.hexdigest()


def _fill(
    outputs: NDArray[np.int16],
    teacher: Teacher,
    pixels: Pixels,
    patch: int,
    device: torch.device,
    taught: Taught,
) -> None:
    """Write the outputs, picture by picture."""
    session = TorchSession(teacher.network, teacher.name, str(device))
    session.batch = 1  # pictures differ in size; one tile at a time bounds the memory
    squared = pixels.scale**2
    holding = pixels.holding(patch).nonzero().flatten().tolist()
    with convolutions(fastest=False):  # trying every algorithm for each size would not pay
        for done, number in enumerate(holding, start=1):
            height, width = int(pixels.heights[number]), int(pixels.widths[number])
            first, area = int(pixels.offsets[number]), height * width
            lr = pixels.lr[first : first + area].view(height, width, 3).numpy()
            target = outputs[squared * first : squared * (first + area)]
            _enlarge(session, lr, target.reshape(-1, pixels.scale * width, 3))
            taught(done, len(holding))


def _enlarge(session: TorchSession, lr: NDArray[np.uint8], target: NDArray[np.int16]) -> None:
    """Write the enlarged picture to `target`."""

    def cut(rows: Indices, columns: Indices) -> NDArray[np.float32]:
        return lr[np.ix_(rows, columns)].astype(np.float32) / np.float32(255)

    top, (height, width, _) = 0, lr.shape
    for band in upscale_bands(
        session, (height, width), cut, _tile(height, width), OVERLAP, near=None
    ):
        target[top : top + len(band)] = np.rint(band * np.float32(WHITE))
        top += len(band)


def _tile(height: int, width: int) -> tuple[int, int]:
    """Return the size of one tile of whole units, or of several of the largest."""
    return min(-(-height // UNIT) * UNIT, LARGEST), min(-(-width // UNIT) * UNIT, LARGEST)
