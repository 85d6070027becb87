"""The pictures in a folder, by the endings of their names."""

import re
from pathlib import Path

from edgesr.errors import Argument, DataError
from edgesr.imaging.container import SUFFIXES

_LOW_RESOLUTION = re.compile(r"(?:^|_)LR(?:_|x\d|$)")  # DIV2K_train_LR_bicubic, LRx4, ...
_DATA = Argument("data", "FOLDER_OF_HR_PICTURES")


def list_images(folder: Path, fix: str | Argument = _DATA) -> list[Path]:
    """Return every picture below `folder`, sorted; folders of LR pictures are passed over.

    Args:
        folder: of pictures.
        fix: what is given instead when there is no such folder.

    Raises:
        DataError: no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise DataError("is no folder", where=folder, fix=fix)
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and not any(
            _LOW_RESOLUTION.search(part) or part.startswith(".")
            for part in path.relative_to(folder).parts
        )
    ]
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        raise DataError(f"holds no picture ({kinds})", where=folder, fix=fix)
    return found
