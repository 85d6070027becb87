"""From a picture to the picture of the size asked for: the nearest network, then a resize."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgesr.library.size import Size

if TYPE_CHECKING:
    from edgesr.imaging.encode import FileFormat
    from edgesr.imaging.picture import Picture
    from edgesr.library.scales import Scales
    from edgesr.runtime.photograph import Enlarged
    from edgesr.runtime.sessions import Opened
    from edgesr.runtime.upscale import OnTile, Tile


@dataclass(frozen=True)
class Ask:
    """How a picture is to be enlarged.

    Attributes:
        size: of the result.
        tile: side of a tile, or (height, width), in input pixels; None: the network's own.
        overlap: input pixels that neighbouring tiles share at least; None: the usual.
        tta: average over eight orientations.
        on_tile: called after every tile with how many are done, and how many there are.
    """

    size: Size
    tile: "Tile | None"
    overlap: int | None
    tta: bool
    on_tile: "OnTile | None"


@dataclass(frozen=True)
class Made:
    """A picture of the size asked for, and how it was made.

    Attributes:
        picture: the result.
        opened: the network.
        enlarged: what the network gave.
        resized_by: method by which that was brought to its size; None: it had it.
    """

    picture: "Picture"
    opened: "Opened"
    enlarged: "Enlarged"
    resized_by: str | None


def enlarge(scales: "Scales", picture: "Picture", kind: "FileFormat | None", ask: Ask) -> Made:
    """Enlarge a picture.

    Args:
        scales: of the model.
        picture: to enlarge.
        kind: format that the result must fit; None: it stays an array.
        ask: what is wanted.

    Raises:
        ConfigError: the size is not 1 to 8 times the picture's; tile or overlap do not fit.
        ImageError: the format cannot hold the result.
        ModelError: a tile came out broken.
        EdgesrError: the network cannot be opened.
    """
    from edgesr.imaging.encode import check_fits
    from edgesr.imaging.resize_picture import METHOD, resized
    from edgesr.runtime.photograph import upscale_picture
    from edgesr.runtime.self_ensemble import SelfEnsemble

    factor = ask.size.factor(picture.width, picture.height)
    if kind is not None:
        check_fits(picture, factor, kind)
    opened = scales.nearest(factor).session_for(picture)
    session = SelfEnsemble(opened.session) if ask.tta else opened.session
    enlarged = upscale_picture(session, picture, ask.tile, ask.overlap, ask.on_tile)
    wanted = ask.size.of(picture.width, picture.height)
    if wanted == (enlarged.picture.width, enlarged.picture.height):
        return Made(enlarged.picture, opened, enlarged, None)
    return Made(resized(enlarged.picture, *wanted), opened, enlarged, METHOD)
