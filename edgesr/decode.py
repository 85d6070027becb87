"""The one way in which JSON files are read: bounded in size and depth, every field of its type.

A file may come from a stranger. What it says is decoded straight into a dataclass, so that no
value reaches the rest of the program that is not of the type, and within the range, that the
dataclass states; the ranges are the names at the end of the first part of this file.
"""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from edgesr.errors import EdgesrError
from edgesr.files import open_regular

Kind = TypeVar("Kind")

LIMIT_BYTES = 16 << 20
"""Largest JSON file that is read; a bench of an hour is well below 1 MiB."""

_SHOWN = 200  # characters of a reason; it may quote the file

Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A whole number that is not negative."""
Positive = Annotated[int, Meta(ge=1, le=2**53)]
"""A whole number above zero."""
Scale = Annotated[int, Meta(ge=1, le=16)]
"""Output side over input side."""
Side = Annotated[int, Meta(ge=1, le=1 << 16)]
"""Side of a picture or tile, in pixels."""
Amount = Annotated[int, Meta(ge=0, le=10**15)] | Annotated[float, Meta(ge=0, le=1e15)]
"""A physical quantity that is not negative: a time, a power, a share."""
Number = Annotated[int, Meta(ge=-(10**15), le=10**15)] | Annotated[float, Meta(ge=-1e15, le=1e15)]
"""Any other physical quantity; one that a file writes without a point stays whole, as it was."""
Text = Annotated[str, Meta(max_length=4096)]
"""A text of bounded length."""
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""64 hexadecimal digits."""
FileName = Annotated[str, Meta(pattern=r"^(?!\.{1,2}\Z)[^/\\\x00-\x1f]{1,255}\Z")]
"""Name of a file without any folder, so that a path made of it stays in the folder it is put in."""


class _Headed(msgspec.Struct):
    """A JSON object of which only the format is looked at."""

    format: str = ""


class MalformedError(ValueError):
    """A text that is not JSON of the kind that was asked for; its words fit in one line."""


def decode_json(data: bytes | str, kind: type[Kind]) -> Kind:
    """Decode JSON into a value of `kind`, a dataclass for instance.

    Raises:
        MalformedError: it is not JSON, is nested too deeply, or a value is not of its type.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise MalformedError("it is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise MalformedError(reason[:_SHOWN]) from None


def read_json(
    path: Path, kind: type[Kind], error: type[EdgesrError], fix: str, format: str | None = None
) -> Kind:
    """Read a JSON file.

    Args:
        path: the file.
        kind: the dataclass it holds; a field that it does not have is an error.
        error: raised for everything that is wrong with the content.
        fix: what to type then.
        format: what the field `format` must say; None: the file has no such field.

    Raises:
        FileNotFoundError: there is none.
        EdgesrError: of the class `error`: it cannot be read, is too large or no regular file, is
            no JSON, or a field is missing, of another type or out of range.
    """
    try:
        data = read_bounded(path, LIMIT_BYTES)
        if format is not None:
            _check_format(data, format)
        _check_names(data, kind)
        return decode_json(data, kind)
    except FileNotFoundError:
        raise
    except OSError as reason:
        raise error(f"cannot be read ({reason.strerror})", where=path, fix=fix) from reason
    except MalformedError as reason:
        raise error(f"cannot be read ({reason})", where=path, fix=fix) from None


def has_format(path: Path, format: str) -> bool:
    """Tell whether a file is a JSON object whose field `format` says so."""
    try:
        _check_format(read_bounded(path, LIMIT_BYTES), format)
    except (OSError, MalformedError):
        return False
    return True


def read_bounded(path: Path, limit_bytes: int) -> bytes:
    """Return the content of a regular file of at most `limit_bytes`.

    Raises:
        OSError: it cannot be read, or is no regular file.
        MalformedError: it is larger.
    """
    with open_regular(path) as file:
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise MalformedError(f"it is larger than {limit_bytes >> 10} KiB")
    return data


def _check_names(data: bytes, kind: type[Any]) -> None:
    known = {field.name for field in fields(kind)}
    for name in decode_json(data, dict[str, msgspec.Raw]):
        if name not in known:
            raise MalformedError(f"unknown field `{name[:_SHOWN]}`")


def _check_format(data: bytes, format: str) -> None:
    try:
        found = decode_json(data, _Headed).format
    except MalformedError as reason:
        raise MalformedError(f"not of format {format} ({reason})") from None
    if found != format:
        raise MalformedError(f"not of format {format}")
