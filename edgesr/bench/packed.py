"""A table of a run as `xz latencies.csv` leaves it: latencies.csv.xz.

A run of many samples takes a fifth of its size so, and is read without being unpacked first.
"""

from pathlib import Path

from edgesr.decode import MalformedError, read_bounded
from edgesr.errors import MissingError, shell

SUFFIX = ".xz"
MEMORY_BYTES = 256 << 20
"""What unpacking may take; `xz -9` asks for 65 MiB."""


def packed(path: Path) -> Path:
    """Return where a table lies when it is compressed."""
    return path.with_name(path.name + SUFFIX)


def read_packed(path: Path, limit_bytes: int) -> bytes:
    """Return the content of a compressed file.

    Args:
        path: a file of `xz`.
        limit_bytes: most bytes that it may hold.

    Raises:
        OSError: it cannot be read, or is no regular file.
        MalformedError: it is damaged, cut short or no file of xz, or holds more.
        MissingError: this Python was built without lzma.
    """
    try:
        import lzma
    except ImportError as error:
        raise MissingError(
            "this Python has no lzma, which reads .xz", where=path, fix=f"unxz {shell(path)}"
        ) from error
    data = read_bounded(path, limit_bytes)
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_BYTES)
    try:
        content = unpacker.decompress(data, limit_bytes + 1)
    except lzma.LZMAError as error:
        raise MalformedError(f"{path.name} is no file of xz, or damaged ({error})") from None
    if len(content) > limit_bytes:
        raise MalformedError(f"{path.name} holds more than {limit_bytes >> 10} KiB")
    if not unpacker.eof:
        raise MalformedError(f"{path.name} is cut short")
    if unpacker.unused_data:
        raise MalformedError(f"{path.name} holds more than one compressed file")
    return content
