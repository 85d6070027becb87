"""From a picture to one of the size asked for, in memory or in a file: nearest network first."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from edgesr.errors import Argument
from edgesr.library.picture_file import fitted, format_of, read
from edgesr.library.size import Size
from edgesr.library.upscaled import Upscaled
from edgesr.runtime.timing import timed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgesr.imaging.picture import Picture
    from edgesr.library.scales import Scales
    from edgesr.runtime.session import Session
    from edgesr.runtime.upscale import OnTile, Tile

    Array: TypeAlias = NDArray[Any]


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

    def through(self, session: "Session") -> "Session":
        """Return the session that the tiles go through, for that of the network."""
        from edgesr.runtime.self_ensemble import SelfEnsemble

        return SelfEnsemble(session) if self.tta else session


@dataclass(frozen=True)
class Writing:
    """How a result is written to its file.

    Attributes:
        quality: 1 to 100, of a format with loss.
        background: colour behind transparent parts, where the format has no alpha channel.
        overwrite: replace a file that is there.
        make_folders: make the folders that are missing.
        check_seams: measure whether tile borders show.
    """

    quality: int
    background: str | None
    overwrite: bool
    make_folders: bool
    check_seams: bool


def enlarged(scales: "Scales", picture: "Picture", ask: Ask) -> "Picture":
    """Return a picture enlarged.

    Args:
        scales: of the model.
        picture: to enlarge.
        ask: what is wanted.

    Raises:
        ConfigError: the size is not 1 to 8 times the picture's; tile or overlap do not fit.
        ModelError: a tile came out broken.
        EdgesrError: the network cannot be opened.
    """
    from edgesr.imaging.resize_picture import resized
    from edgesr.runtime.photograph import upscale_picture

    wanted = ask.size.of(picture.width, picture.height)
    opened = scales.nearest(ask.size.factor(picture.width, picture.height)).session_for(picture)
    session = ask.through(opened.session)
    made = upscale_picture(session, picture, ask.tile, ask.overlap, ask.on_tile).picture
    return made if wanted == (made.width, made.height) else resized(made, *wanted)


def enlarged_to_file(
    scales: "Scales", picture: "Array | str | Path", output: str | Path, ask: Ask, writing: Writing
) -> Upscaled:
    """Enlarge the picture of a file or an array into a file, and return what was done.

    Args:
        scales: of the model.
        picture: to enlarge.
        output: file to write.
        ask: what is wanted.
        writing: how the file is written.

    Raises:
        EdgesrError: as `enlarged`, and where the picture cannot be read, the result not be written.
    """
    from edgesr.imaging.background import parse_colour
    from edgesr.runtime.to_file import enlarge_to_file

    file = Path(picture) if isinstance(picture, (str, Path)) else None
    target = Path(output)
    behind = None if writing.background is None else parse_colour(writing.background)
    source, read_ms = timed(lambda: read(picture))
    kind = format_of(target, source, file, writing.overwrite, writing.quality)
    factor = ask.size.factor(source.width, source.height)
    source = fitted(source, factor, kind, behind, Argument("picture") if file is None else file)
    opened = scales.nearest(factor).session_for(source)
    made = enlarge_to_file(
        ask.through(opened.session), source, target, kind, ask.tile, ask.overlap,
        size=ask.size.of(source.width, source.height), quality=writing.quality,
        make_folders=writing.make_folders, check=writing.check_seams, on_tile=ask.on_tile,
    )  # fmt: skip
    return Upscaled(
        input=None if file is None else str(picture),
        output=str(output),
        input_size=(source.width, source.height),
        output_size=made.size,
        model=opened.session.model,
        model_reason=opened.reason,
        backend=opened.session.backend,
        scale=round(factor, 6),
        network_scale=opened.session.scale,
        resized_by=made.resized_by,
        tta=ask.tta,
        tile=(made.plan.columns.tile, made.plan.rows.tile),
        overlap=made.plan.rows.overlap,
        tiles=made.tiles,
        load_ms=opened.load_ms,
        read_ms=0.0 if file is None else read_ms,
        latency_ms=made.latency_ms,
        write_ms=made.write_ms,
        seam_ratio=made.seam_ratio,
        notes=(*source.notes, *made.notes),
    )
