"""What a torch file asks for, looked at before torch reads it.

A torch file is a pickle, with its values beside it in a zip archive or, in files of torch before
1.6, behind it. `torch.load(weights_only=True)` runs no code of a stranger, but it inflates entries
that are compressed, and makes whatever a pickle orders: a file of 400 bytes may ask for a bytearray
of any size.
"""

import io
import pickletools
import re
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from edgesr.decode import MalformedError
from edgesr.files import open_regular

MAX_BYTES = 1 << 30
"""Largest torch file that is read; the teacher's checkpoint of a run takes 21 MB."""

_PICKLE_BYTES = 4 << 20  # a tensor takes some 150
_OLD_PICKLES = 5  # of a file without an archive: number, version, machine, content, keys
_OPENING = {b"PK\x03\x04": "archive", b"\x80\x02": "pickle"}
_NAME = re.compile(
    r"collections (OrderedDict|Counter|defaultdict)"
    r"|torch(\.storage)? (?!\w*Tensor$)\w+"  # storages and types; a `Tensor` would be of any size
    r"|torch\._utils _rebuild_\w+|torch\._tensor _rebuild_from_type_v2"
    r"|torch\.nn\.parameter Parameter"
    r"|torch\.serialization _get_layout"
)


def check_torch_file(path: Path) -> None:
    """Refuse a torch file that would take more memory than its own size, or names what is strange.

    Raises:
        OSError: it cannot be read, or is no regular file.
        MalformedError: it is refused, or is no torch file.
    """
    with open_regular(path) as file:
        if file.seek(0, io.SEEK_END) > MAX_BYTES:
            raise MalformedError(f"it is larger than {MAX_BYTES >> 20} MiB")
        file.seek(0)
        head = file.read(4)
        file.seek(0)
        kind = next((kind for start, kind in _OPENING.items() if head.startswith(start)), None)
        if kind == "archive":
            _check_names(_pickle_of(file), 1)
        elif kind == "pickle":
            _check_names(file.read(_PICKLE_BYTES), _OLD_PICKLES)
        else:
            raise MalformedError("it is no torch file")


def _pickle_of(file: BinaryIO) -> bytes:
    """Return the pickle of an archive, whose entries must lie in it as they are."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise MalformedError("its entries are compressed, which torch never does")
            if sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise MalformedError(f"its entries are larger than {MAX_BYTES >> 20} MiB")
            pickles = [entry for entry in entries if entry.filename.endswith("data.pkl")]
            if len(pickles) != 1:
                raise MalformedError(f"it holds {len(pickles)} pickles instead of one")
            if pickles[0].file_size > _PICKLE_BYTES:
                raise MalformedError(f"its pickle is larger than {_PICKLE_BYTES >> 20} MiB")
            return archive.read(pickles[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, struct.error) as error:
        raise MalformedError(f"it is a damaged archive ({error})") from error


def _check_names(data: bytes, pickles: int) -> None:
    """Look at every name that so many pickles in a row import, without importing any."""
    stream = io.BytesIO(data)
    try:
        for _ in range(pickles):
            for operation, argument, _ in pickletools.genops(stream):
                if operation.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"):
                    raise MalformedError(f"it uses {operation.name}, which torch never does")
                if operation.name == "GLOBAL":
                    _check_name(str(argument))
    except MalformedError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise MalformedError("it is a damaged pickle") from error


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise MalformedError(f"its pickle names {name[:80]}")
