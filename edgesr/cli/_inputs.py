"""Which pictures the inputs of `edgesr upscale` are: files as given, and those in folders."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import EdgesrError, ImageError, shell
from edgesr.imaging.container import SUFFIXES, identify
from edgesr.imaging.written import wrote


@dataclass(frozen=True)
class FoundPicture:
    """A picture among the inputs.

    Attributes:
        path: of the picture.
        below: its folder, relative to the input that it came from.
        is_own: edgesr wrote it, and nobody asked for this very file.
    """

    path: Path
    below: Path
    is_own: bool = False


@dataclass(frozen=True)
class RefusedInput:
    """An input that is not touched.

    Attributes:
        input: the picture, or a folder.
        error: why.
    """

    input: Path
    error: EdgesrError


def real_path(path: Path) -> Path:
    """Resolve links; unlike `Path.resolve`, also of one that leads to itself."""
    return Path(os.path.realpath(path))


def find_pictures(
    inputs: list[Path], results: Path | None, recursive: bool
) -> Iterator[FoundPicture | RefusedInput]:
    """Yield the pictures in the order given, those of a folder by name.

    Hidden files, and files in folders that are no pictures, are left out. One picture may be found
    twice, if it is given twice.

    Args:
        inputs: files and folders.
        results: folder of the results, which is not searched; None: they lie beside the inputs.
        recursive: search the folders inside a given folder too, at any depth.
    """
    for given in inputs:
        if not os.path.isdir(given):  # noqa: PTH112  (False of names that are too long)
            yield FoundPicture(given, Path(), is_own=len(inputs) > 1 and wrote(given))
            continue
        unread: list[OSError] = []
        inside = list(_pictures_in(given, results, recursive, unread))
        for path in inside:
            yield FoundPicture(path, path.parent.relative_to(given), is_own=wrote(path))
        for error in unread:
            place = Path(error.filename or given)
            yield RefusedInput(place, ImageError(f"cannot be read ({error.strerror})", where=place))
        if not inside and not unread:
            deeper = None if recursive else f"edgesr upscale --recursive {shell(given)}"
            error_ = ImageError("no picture in this folder", where=given, fix=deeper)
            yield RefusedInput(given, error_)


def _pictures_in(
    folder: Path, results: Path | None, recursive: bool, unread: list[OSError]
) -> Iterator[Path]:
    """Yield the pictures of a folder by name; note the folders that cannot be read."""
    kept_out = None if results is None else real_path(results)
    for place, folders, names in os.walk(folder, onerror=unread.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if not recursive:
            folders.clear()
        elif kept_out is not None:
            folders[:] = [name for name in folders if real_path(Path(place) / name) != kept_out]
        for path in _visible(Path(place), names):
            if _looks_like_a_picture(path):
                yield path


def _visible(place: Path, names: Iterable[str]) -> Iterator[Path]:
    return (place / name for name in sorted(names) if not name.startswith("."))


def _looks_like_a_picture(path: Path) -> bool:
    """By its ending, so that a broken picture is reported, or else by its first bytes."""
    if path.suffix.lower() in SUFFIXES:
        return True
    if not path.is_file():
        return False  # a pipe would wait for its writer
    try:
        with path.open("rb") as file:
            return identify(file.read(32)) is not None
    except OSError:
        return False
