"""Does a tiled result show its tiles? Measured against the same picture tiled elsewhere."""

from dataclasses import replace

from edgesr.imaging.picture import Picture
from edgesr.imaging.seams import border_lines, seam_ratio
from edgesr.imaging.tiling import TilePlan
from edgesr.runtime.photograph import upscale_picture
from edgesr.runtime.session import Session
from edgesr.runtime.upscale import plan_for


def check_seams(session: Session, picture: Picture, enlarged: Picture, plan: TilePlan) -> float:
    """Return how much rougher a result is across its tile borders than without a border there.

    The picture is upscaled once more without its first rows and columns, so that the tiles lie
    elsewhere; lines on which borders of both fall are left out.

    Args:
        session: that made the result.
        picture: the input.
        enlarged: the result.
        plan: its tiles.

    Returns:
        As `edgesr.imaging.seams.seam_ratio`, 1.0 for a picture of a single tile.

    Raises:
        ModelError: a tile came out broken.
    """
    if len(plan) == 1:
        return 1.0
    top = min(plan.rows.tile // 3, picture.height - 1)
    left = min(plan.columns.tile // 3, picture.width - 1)
    part = replace(
        picture,
        colour=picture.colour[top:, left:],
        alpha=None if picture.alpha is None else picture.alpha[top:, left:],
    )
    shifted = plan_for(session, part.height, part.width, plan.rows.tile, plan.rows.overlap)
    reference = enlarged.colour.copy()
    scale = plan.scale
    reference[scale * top :, scale * left :] = upscale_picture(session, part, shifted).colour
    rows = border_lines(plan.rows) - border_lines(shifted.rows, top)
    columns = border_lines(plan.columns) - border_lines(shifted.columns, left)
    return seam_ratio(enlarged.colour, reference, rows, columns)
