"""Does a tiled result show its tiles? Measured against the same picture tiled elsewhere."""

from dataclasses import replace

from edgesr.imaging.picture import Picture
from edgesr.imaging.seams import border_lines, seam_ratio
from edgesr.runtime.photograph import Enlarged, upscale_picture
from edgesr.runtime.session import Session


def check_seams(session: Session, picture: Picture, made: Enlarged) -> float:
    """Return how much rougher a result is across its tile borders than without a border there.

    The picture is upscaled once more without its first rows and columns, so that the tiles lie
    elsewhere; lines on which borders of both fall are left out.

    Args:
        session: that made the result.
        picture: the input.
        made: the result.

    Returns:
        As `edgesr.imaging.seams.seam_ratio`, 1.0 for a picture of a single tile.

    Raises:
        ModelError: a tile came out broken.
    """
    plan = made.plan
    if len(plan) == 1:
        return 1.0
    top = min(plan.rows.tile // 3, picture.height - 1)
    left = min(plan.columns.tile // 3, picture.width - 1)
    part = replace(
        picture,
        colour=picture.colour[top:, left:],
        alpha=None if picture.alpha is None else picture.alpha[top:, left:],
    )
    tile = plan.rows.tile, plan.columns.tile
    shifted = upscale_picture(session, part, tile, plan.rows.overlap)
    reference = made.picture.colour.copy()
    scale = plan.scale
    reference[scale * top :, scale * left :] = shifted.picture.colour
    rows = border_lines(plan.rows) - border_lines(shifted.plan.rows, top)
    columns = border_lines(plan.columns) - border_lines(shifted.plan.columns, left)
    return seam_ratio(made.picture.colour, reference, rows, columns)
