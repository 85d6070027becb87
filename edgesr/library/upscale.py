"""One picture, with the network opened and closed around it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from edgesr.imaging.quality import DEFAULT_QUALITY
from edgesr.library.model import open_model
from edgesr.library.upscaled import Upscaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgesr.runtime.upscale import Tile

    Array: TypeAlias = NDArray[Any]


@overload
def upscale(
    picture: "Array | str | Path",
    output: None = None,
    *,
    model: str | Path | None = None,
    scale: float | None = None,
    tile: "Tile | None" = None,
    overlap: int | None = None,
    width: int | None = None,
    height: int | None = None,
    tta: bool = False,
    backend: str = "auto",
    threads: int | None = None,
) -> "Array": ...


@overload
def upscale(
    picture: "Array | str | Path",
    output: str | Path,
    *,
    model: str | Path | None = None,
    scale: float | None = None,
    tile: "Tile | None" = None,
    overlap: int | None = None,
    width: int | None = None,
    height: int | None = None,
    tta: bool = False,
    backend: str = "auto",
    threads: int | None = None,
    quality: int = DEFAULT_QUALITY,
    background: str | None = None,
    overwrite: bool = False,
) -> Upscaled: ...


def upscale(
    picture: "Array | str | Path",
    output: str | Path | None = None,
    *,
    model: str | Path | None = None,
    scale: float | None = None,
    tile: "Tile | None" = None,
    overlap: int | None = None,
    width: int | None = None,
    height: int | None = None,
    tta: bool = False,
    backend: str = "auto",
    threads: int | None = None,
    quality: int = DEFAULT_QUALITY,
    background: str | None = None,
    overwrite: bool = False,
) -> "Array | Upscaled":
    """Enlarge one picture; `open_model` opens a network once for several.

    Args:
        picture: a file or an array, as for `Model.upscale`.
        output: file to write; None: return an array.
        model: as for `open_model`.
        scale: as for `open_model`.
        tile: side of a tile in input pixels, or (height, width); None: the network's own.
        overlap: input pixels that neighbouring tiles share at least; None: the usual 8.
        width: as for `Model.upscale`.
        height: as for `Model.upscale`.
        tta: as for `Model.upscale`.
        backend: as for `open_model`.
        threads: as for `open_model`.
        quality: of a JPEG, WebP, AVIF or JPEG XL file, from 1 to 100.
        background: behind transparent parts where the format has no alpha channel, as for
            `Model.upscale`.
        overwrite: replace a file that is there.

    Returns:
        As `Model.upscale`.

    Raises:
        EdgesrError: as `open_model` and `Model.upscale`.
    """
    with open_model(model, scale=scale, backend=backend, threads=threads) as opened:
        if output is None:
            return opened.upscale(
                picture, tile=tile, overlap=overlap, width=width, height=height, tta=tta
            )
        return opened.upscale(
            picture,
            output,
            tile=tile,
            overlap=overlap,
            width=width,
            height=height,
            tta=tta,
            quality=quality,
            background=background,
            overwrite=overwrite,
        )
