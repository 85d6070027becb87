"""Writing TIFF files: the pixels by tifffile, the tags that speak of them in one directory."""

import io
import struct
from typing import Any

from numpy.typing import NDArray

from edgesr.imaging.directory import ASCII, BYTE, UNDEFINED, Entry, Order, read_directory
from edgesr.imaging.exif_block import (
    IMAGE_DESCRIPTION,
    X_RESOLUTION,
    describing_entries,
    entries_of,
    laid_out,
)
from edgesr.imaging.mark import SOFTWARE, mark_before
from edgesr.imaging.metadata import Metadata
from edgesr.imaging.tiff_own_tags import entries as own_entries
from edgesr.imaging.tiff_tags import ICC, IPTC, STORAGE, XMP

_STRIP_BYTES = 1 << 18
_CLASSIC_BYTES = 1 << 32  # from there on offsets need 64 bits
_ROOM = 1 << 26  # for what is not pixels, when deciding that


def encode_tiff(
    pixels: NDArray[Any], exif: bytes | None, icc: bytes | None, metadata: Metadata
) -> bytes:
    """Return a TIFF file, LZW compressed, with the mark of edgesr.

    Args:
        pixels: (height, width) grey, or (height, width, 3 or 4) RGB and straight alpha.
        exif: EXIF block, whose tags become those of the file.
        icc: colour profile.
        metadata: of which all is written but what belongs to PNG files.
    """
    import tifffile

    main, inner, order = entries_of(exif) if exif is not None else ([], {}, "<")
    big = pixels.nbytes + _ROOM > _CLASSIC_BYTES
    file = io.BytesIO()
    row_bytes = max(1, pixels.nbytes // len(pixels))
    tifffile.imwrite(
        file, pixels, bigtiff=big, byteorder=order, metadata=None, software=False,
        photometric="minisblack" if pixels.ndim == 2 else "rgb",
        extrasamples=("unassalpha",) if pixels.ndim == 3 and pixels.shape[2] == 4 else None,
        compression="lzw", predictor=True,
        rowsperstrip=min(len(pixels), max(1, _STRIP_BYTES // row_bytes)),
    )  # fmt: skip
    was = next((entry.value for entry in main if entry.tag == SOFTWARE), b"")
    main = [entry for entry in main if entry.tag != SOFTWARE]
    main.append(Entry(SOFTWARE, ASCII, mark_before(was)))
    _add(file, [*main, *_entries(main, icc, metadata, order)], inner)
    return file.getvalue()


def _entries(main: list[Entry], icc: bytes | None, metadata: Metadata, order: Order) -> list[Entry]:
    """Return what the EXIF data does not say already."""
    there = {entry.tag for entry in main}
    density = None if X_RESOLUTION in there else metadata.density
    comment = None if IMAGE_DESCRIPTION in there else metadata.comment
    entries = describing_entries(density, comment, order)
    if metadata.xmp is not None:
        entries.append(Entry(XMP, BYTE, metadata.xmp))
    if metadata.iptc is not None:
        entries.append(Entry(IPTC, UNDEFINED, metadata.iptc))
    if icc is not None:
        entries.append(Entry(ICC, UNDEFINED, icc))
    entries.extend(own_entries(metadata.tags, order))
    return entries


def _add(file: io.BytesIO, entries: list[Entry], inner: dict[int, list[Entry]]) -> None:
    """Write a new first directory at the end of a file: how its pixels are stored, and `entries`.

    Raises:
        ValueError: it is no TIFF file.
    """
    kept, order, big = _storage(file)
    at = file.seek(0, io.SEEK_END)
    at += file.write(b"\0" * (at % 2))
    file.write(laid_out([*kept, *entries], inner, order, at, big))
    file.seek(8 if big else 4)
    file.write(struct.pack(f"{order}{'Q' if big else 'I'}", at))


def _storage(file: io.BytesIO) -> tuple[list[Entry], Order, bool]:
    """Return the entries that say how the pixels are stored; leaves no view into the file."""
    directory = read_directory(file.getbuffer())
    if directory is None:
        raise ValueError("no TIFF file")
    kept = [
        Entry(tag, field.kind, bytes(field.value))
        for tag, field in directory.fields.items()
        if tag in STORAGE
    ]
    return kept, directory.order, directory.big
