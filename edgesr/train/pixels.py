"""All pictures of a training set as two flat buffers, so that a crop is an index computation.

`lr` is (pixels, 3) uint8: the pictures one after another, each in raster order; `hr` the same with
scale^2 times the pixels. Picture i of h x w LR pixels begins at offset o_i in `lr` and at
scale^2 o_i in `hr`, and in a teacher's outputs (teacher_outputs.py) as in `hr`. The buffers lie in
memory, in a file mapped into memory, or on a device.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from edgesr.decode import LIMIT_BYTES, MalformedError, Scale, Side, Text, decode_json, read_bounded
from edgesr.errors import DataError, ImageError
from edgesr.files import atomic_path, make_folder, utf8_text, write_json
from edgesr.imaging.listing import list_images
from edgesr.train.images import TrainingPair, pairs
from edgesr.train.refused import Refused

FORMAT = "edgesr-pixels/1"
WHITE = 32767  # of the teacher's outputs: 128 steps a level of 8 bits
MEMORY_SHARE = 0.7  # of the machine's memory that decoded pictures may take
DEVICE_SHARE = 0.5  # of the device's free memory; the rest is the training step's

Decoded = Callable[[int, int], None]
"""Told after every picture how many are decoded, of how many."""


@dataclass(frozen=True)
class Pixels:
    """Decoded pictures in pairs.

    Attributes:
        hr: (scale^2 * pixels, 3) uint8.
        lr: (pixels, 3) uint8.
        heights: (pictures,) int64, LR rows.
        widths: (pictures,) int64, LR columns.
        scale: factor between the sides.
        taught: a teacher's outputs, (scale^2 * pixels, 3) int16 of which `WHITE` is 1; None without
            a teacher, or with one that sees every batch.
    """

    hr: Tensor
    lr: Tensor
    heights: Tensor
    widths: Tensor
    scale: int
    taught: Tensor | None = None

    @property
    def offsets(self) -> Tensor:
        """(pictures,) int64: where each picture begins in `lr`."""
        areas = self.heights * self.widths
        return areas.cumsum(0) - areas

    @property
    def nbytes(self) -> int:
        """Bytes of the buffers."""
        taught = 0 if self.taught is None else self.taught.nbytes
        return self.hr.nbytes + self.lr.nbytes + taught

    def holding(self, patch: int) -> Tensor:
        """(pictures,) bool: whether an LR patch of this side can be cut from each."""
        return (self.heights >= patch) & (self.widths >= patch)

    def fits(self, device: torch.device) -> bool:
        """Tell whether the buffers leave the training step room on a CUDA device."""
        free, _ = torch.cuda.mem_get_info(device)
        return self.nbytes <= DEVICE_SHARE * free

    def to(self, device: torch.device) -> "Pixels":
        """Copy the buffers to a device; the table of pictures stays on the CPU."""
        taught = None if self.taught is None else self.taught.to(device)
        return replace(self, hr=self.hr.to(device), lr=self.lr.to(device), taught=taught)


@dataclass(frozen=True)
class Loaded:
    """What came of a folder.

    Attributes:
        pixels: the pictures.
        refused: files that no picture came of.
    """

    pixels: Pixels
    refused: Refused


def load(folder: Path, scale: int, cache: Path | None, decoded: Decoded) -> Loaded:
    """Decode a folder of HR pictures and make the LR ones.

    Args:
        folder: searched recursively.
        scale: factor between the sides.
        cache: folder for the decoded pictures, used again by the next run over the same files;
            None keeps them in memory only.
        decoded: told how many pictures are decoded, of how many.

    Raises:
        DataError: no folder, no picture, or more pictures than memory without a cache.
        ConfigError: the cache cannot be written.
    """
    files = list_images(folder)
    if cache is not None:
        return _from_cache(folder, files, scale, cache, decoded)
    held, refused = _decode_to_memory(folder, files, scale, decoded)
    hr, lr = (_join([pair[side] for pair in held]) for side in (0, 1))
    sizes = [pair.lr.shape[:2] for pair in held]
    return Loaded(_pixels(hr, lr, sizes, scale), refused)


def memory_bytes() -> float:
    """Return how much of the machine's memory pictures may take."""
    return MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _decode_to_memory(
    folder: Path, files: list[Path], scale: int, decoded: Decoded
) -> tuple[list[TrainingPair], Refused]:
    limit = memory_bytes() / 2
    held, total = [], 0  # half of the share, because joining the pictures holds them twice
    refused = Refused()
    with closing(pairs(files, scale)) as found:
        for number, pair in enumerate(found, start=1):
            decoded(number, len(files))
            if isinstance(pair, ImageError):
                refused = refused.and_one(pair)
                continue
            held.append(pair)
            total += pair.hr.nbytes + pair.lr.nbytes
            if total > limit:
                raise DataError(
                    f"{len(held)} of {len(files)} pictures already take {total / 1e9:.1f} GB",
                    where="memory",
                    fix="--cache FOLDER (keeps the decoded pictures on disk)",
                )
    if not held:
        raise _nothing(folder, refused)
    return held, refused


def _from_cache(
    folder: Path, files: list[Path], scale: int, cache: Path, decoded: Decoded
) -> Loaded:
    stamps = tuple(_stamp(file) for file in files)
    index = cache / f"pixels_x{scale}.json"
    known = _read_index(index)
    fits = known is not None and (known.format, known.scale, known.files) == (FORMAT, scale, stamps)
    if known is None or not fits or not _is_whole(cache, scale, known.sizes):
        sizes, refused = _write_buffers(folder, cache, files, scale, decoded)
        known = Index(FORMAT, scale, stamps, tuple(sizes), refused.reasons)
        write_json(index, asdict(known))
    hr, lr = (torch.from_numpy(np.memmap(path, np.uint8, "c")) for path in _buffers(cache, scale))
    pixels = _pixels(hr.view(-1, 3), lr.view(-1, 3), known.sizes, scale)
    return Loaded(pixels, Refused(len(files) - len(known.sizes), known.refused))


def _stamp(file: Path) -> tuple[str, int, int]:
    """Return what tells a changed file; a link that leads nowhere is judged as a link."""
    try:
        status = file.stat()
    except OSError:
        status = file.lstat()
    name = utf8_text(str(file))  # as the index keeps it, also of a name that is no UTF-8
    return name, status.st_size, status.st_mtime_ns


@dataclass(frozen=True)
class Index:
    """What a cache holds.

    Attributes:
        format: name and version of this format.
        scale: factor between HR and LR sides.
        files: path, size in bytes and time of change in ns, of every picture.
        sizes: height and width in LR pixels, of every picture that could be read.
        refused: why the first of the others could not; none: written before it was kept.
    """

    format: str
    scale: Scale
    files: tuple[tuple[str, int, int], ...]
    sizes: tuple[tuple[Side, Side], ...]
    refused: tuple[Text, ...] = ()


def _read_index(index: Path) -> Index | None:
    """Return what the cache says it holds, None for a file that is missing or damaged."""
    try:
        return decode_json(read_bounded(index, LIMIT_BYTES), Index)
    except (OSError, MalformedError):
        return None


def _is_whole(cache: Path, scale: int, sizes: Sequence[tuple[int, int]]) -> bool:
    """Tell whether both buffers are there in the lengths that the index gives."""
    pixels = sum(height * width for height, width in sizes)
    hr, lr = _buffers(cache, scale)
    wanted = ((hr, 3 * scale**2 * pixels), (lr, 3 * pixels))
    return bool(sizes) and all(
        path.is_file() and path.stat().st_size == size for path, size in wanted
    )


def _buffers(cache: Path, scale: int) -> tuple[Path, Path]:
    return cache / f"hr_x{scale}.u8", cache / f"lr_x{scale}.u8"


def _write_buffers(
    folder: Path, cache: Path, files: list[Path], scale: int, decoded: Decoded
) -> tuple[list[tuple[int, int]], Refused]:
    make_folder(cache)
    hr_path, lr_path = _buffers(cache, scale)
    sizes: list[tuple[int, int]] = []
    refused = Refused()
    with atomic_path(hr_path) as hr_new, atomic_path(lr_path) as lr_new:
        with (
            hr_new.open("wb") as hr_file,
            lr_new.open("wb") as lr_file,
            closing(pairs(files, scale)) as found,
        ):
            for number, pair in enumerate(found, start=1):
                decoded(number, len(files))
                if isinstance(pair, ImageError):
                    refused = refused.and_one(pair)
                    continue
                _append(hr_file, pair.hr)
                _append(lr_file, pair.lr)
                sizes.append((pair.lr.shape[0], pair.lr.shape[1]))
        if not sizes:
            raise _nothing(folder, refused)
    return sizes, refused


def _nothing(folder: Path, refused: Refused) -> DataError:
    reason = f"no file in it can be read as a picture; the first is {refused.reasons[0]}"
    return DataError(reason, where=folder)


def _append(file: BinaryIO, picture: np.ndarray) -> None:
    file.write(picture.data)


def _join(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.concatenate([picture.reshape(-1, 3) for picture in pictures]))


def _pixels(hr: Tensor, lr: Tensor, sizes: Iterable[tuple[int, ...]], scale: int) -> Pixels:
    table = torch.tensor(list(sizes), dtype=torch.int64).reshape(-1, 2)
    return Pixels(hr, lr, table[:, 0], table[:, 1], scale)
