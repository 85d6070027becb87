"""Results as they are kept: JSON, and what has a row for every call or picture compressed by xz.

The same content gives the same bytes, so a result that is made again is no change.
"""

import json
import lzma
from pathlib import Path
from typing import Any

from edgesr.bench.packed import SUFFIX, packed
from edgesr.files import make_folder, to_json, write_bytes


def read_result(path: Path) -> Any:
    """Return what `write_result` wrote.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON.
        lzma.LZMAError: it is named as compressed, and is not.
    """
    return json.loads(read_content(path))


def read_content(path: Path) -> bytes:
    """Return what a file holds, unpacked where its name ends in .xz; errors as `read_result`'s."""
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == SUFFIX else data


def write_result(path: Path, document: object) -> None:
    """Write a result as JSON, compressed where its name ends in .xz; folders are made."""
    data = to_json(document).encode()
    make_folder(path.parent)
    write_bytes(path, _compressed(data) if path.suffix == SUFFIX else data)


def compress(folder: Path) -> None:
    """Replace the tables of a bench, NAME.csv, by NAME.csv.xz, which edgesr reads as well."""
    for path in sorted(folder.glob("*.csv")):
        write_bytes(packed(path), _compressed(path.read_bytes()))
        path.unlink()


def _compressed(data: bytes) -> bytes:
    return lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
