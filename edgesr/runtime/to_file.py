"""A picture enlarged into a file: rows are written while the tiles below them are computed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from edgesr.files import make_folder
from edgesr.imaging.encode import FileFormat
from edgesr.imaging.picture import Picture
from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.imaging.resize_picture import METHOD, resized
from edgesr.imaging.rows import write_rows
from edgesr.imaging.tiling import TilePlan
from edgesr.runtime.check import check_seams
from edgesr.runtime.photograph import enlarged_bands, passes, upscale_picture
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import OnTile, Tile, plan_for


@dataclass(frozen=True)
class Made:
    """What is told of a file.

    Attributes:
        plan: the tiles that the picture was cut into.
        size: (width, height) of the result in pixels.
        resized_by: method by which the network's result was brought to it; None: it had it.
        tiles: tiles that went through the network, those of varying alpha among them.
        latency_ms: from the picture to the enlarged one, in milliseconds.
        write_ms: encoding and writing, in milliseconds.
        seam_ratio: as `check_seams`, None where it was not asked for.
        notes: what could not be kept, one sentence each.
    """

    plan: TilePlan
    size: tuple[int, int]
    resized_by: str | None
    tiles: int
    latency_ms: float
    write_ms: float
    seam_ratio: float | None
    notes: tuple[str, ...]


def enlarge_to_file(
    session: Session,
    picture: Picture,
    output: Path,
    kind: FileFormat,
    tile: Tile | None = None,
    overlap: int | None = None,
    *,
    size: tuple[int, int] | None = None,
    quality: int = DEFAULT_QUALITY,
    make_folders: bool = False,
    check: bool = False,
    on_tile: OnTile | None = None,
) -> Made:
    """Upscale a picture and write it, atomically.

    Beside the picture there is one row of tiles in memory, where the format is written by rows and
    the network gives the size that is wanted.

    Args:
        session: the network.
        picture: to enlarge; `check_fits` holds.
        output: the file.
        kind: its format.
        tile: as in `plan_for`.
        overlap: as in `plan_for`.
        size: (width, height) of the result in pixels; None: what the network gives.
        quality: 1 to 100, for JPEG, WebP and AVIF.
        make_folders: make the folders of `output` that are missing, once the first rows are there.
        check: measure seams, for which the whole result is kept in memory.
        on_tile: called after every tile with how many are done, and how many there are.

    Raises:
        ConfigError: tile or overlap do not fit, or the file cannot be written there.
        ModelError: a tile came out broken.
        ImageError: it cannot be encoded.
        EdgesrError: the disk is full.
    """
    plan = plan_for(session, picture.height, picture.width, tile, overlap)
    given = plan.scale * picture.width, plan.scale * picture.height
    wanted = given if size is None else size
    begin, enlarging_s, checking_s = time.perf_counter(), 0.0, 0.0
    seam_ratio = None
    if wanted == given and not check:
        source = enlarged_bands(session, picture, tile, overlap, on_tile)
    else:
        whole = upscale_picture(session, picture, tile, overlap, on_tile)
        result = whole.picture if wanted == given else resized(whole.picture, *wanted)
        enlarging_s = time.perf_counter() - begin
        seam_ratio = check_seams(session, picture, whole) if check else None
        checking_s = time.perf_counter() - begin - enlarging_s
        source = iter([result])

    def timed() -> Iterator[Picture]:
        nonlocal enlarging_s
        while True:
            asked = time.perf_counter()
            band = next(source, None)
            enlarging_s += time.perf_counter() - asked
            if band is None:
                return
            yield band

    bands = timed()
    first = next(bands)
    if make_folders:
        make_folder(output.parent)
    notes = write_rows(output, chain([first], bands), wanted[1], kind, quality)
    writing_s = time.perf_counter() - begin - enlarging_s - checking_s
    return Made(
        plan,
        size=wanted,
        resized_by=None if wanted == given else METHOD,
        tiles=passes(picture) * len(plan),
        latency_ms=_ms(enlarging_s),
        write_ms=_ms(writing_s),
        seam_ratio=seam_ratio,
        notes=notes,
    )


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 3)
