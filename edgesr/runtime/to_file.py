"""A picture enlarged into a file: rows are written while the tiles below them are computed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgesr.imaging.encode import DEFAULT_QUALITY, format_for
from edgesr.imaging.picture import Picture
from edgesr.imaging.rows import write_rows
from edgesr.imaging.tiling import TilePlan
from edgesr.runtime.check import check_seams
from edgesr.runtime.photograph import enlarged_bands, upscale_picture
from edgesr.runtime.session import Session


@dataclass(frozen=True)
class Made:
    """What is told of a file.

    Attributes:
        latency_ms: from the picture to the enlarged one, in milliseconds.
        write_ms: encoding and writing, in milliseconds.
        seam_ratio: as `check_seams`, None where it was not asked for.
        notes: what could not be kept, one sentence each.
    """

    latency_ms: float
    write_ms: float
    seam_ratio: float | None
    notes: tuple[str, ...]


def enlarge_to_file(
    session: Session,
    picture: Picture,
    plan: TilePlan,
    output: Path,
    quality: int = DEFAULT_QUALITY,
    check: bool = False,
    on_tile: Callable[[], None] | None = None,
) -> Made:
    """Upscale a picture and write it, atomically.

    Beside the picture there is one row of tiles in memory, where the format is written by rows.

    Args:
        session: the network.
        picture: to enlarge; `check_fits` holds.
        plan: from `plan_for`, for the picture's size.
        output: the file; its ending says the format.
        quality: 1 to 100, for JPEG and WebP.
        check: measure seams, for which the whole result is kept in memory.
        on_tile: called after every tile.

    Raises:
        ModelError: a tile came out broken.
        ImageError: it cannot be encoded.
        EdgesrError: it cannot be written.
    """
    begin = time.perf_counter()
    source, seam_ratio = enlarged_bands(session, picture, plan, on_tile), None
    spent_s = 0.0
    if check:
        whole = upscale_picture(session, picture, plan, on_tile)
        spent_s = time.perf_counter() - begin
        seam_ratio = check_seams(session, picture, whole, plan)
        source = iter([whole])
        begin = time.perf_counter() - spent_s

    def timed() -> Iterator[Picture]:
        nonlocal spent_s
        while True:
            asked = time.perf_counter()
            band = next(source, None)
            spent_s += time.perf_counter() - asked
            if band is None:
                return
            yield band

    height = plan.scale * picture.height
    notes = write_rows(output, timed(), height, format_for(output.suffix), quality)
    all_s = time.perf_counter() - begin
    return Made(_ms(spent_s), _ms(all_s - spent_s), seam_ratio, notes)


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 3)
