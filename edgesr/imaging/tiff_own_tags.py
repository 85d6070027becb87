"""Tags that only a TIFF file has a place for: names of a document, where a map lies, private ones.

Only those are kept whose values mean the same in a file of another size, or are known to become
others (GeoTIFF 1.1, OGC 19-008). An unknown tag may say how pixels were stored, and a 32-bit number
in a private one may be the place of something in the old file.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgesr.imaging.directory import (
    ASCII,
    BYTE,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Directory,
    DirectoryField,
    Entry,
    Order,
)

_DOUBLE = 12
_TEXTS = {269: "DocumentName", 285: "PageName", 286: "XPosition", 287: "YPosition"}
_TEXTS |= {337: "TargetPrinter", 32781: "ImageID", 42112: "GDAL", 42113: "GDAL"}
_PIXEL_SCALE, _TIE_POINTS, _TRANSFORMATION, _KEYS = 33550, 33922, 34264, 34735
_MAP = dict.fromkeys((_PIXEL_SCALE, _TIE_POINTS, _TRANSFORMATION, _KEYS, 34736, 34737), "GeoTIFF")
_DROPPED = {270: "ImageDescription", 333: "InkNames", 50838: "ImageJ", 50839: "ImageJ"}
_PRIVATE = range(65000, 65536)  # TIFF 6.0, section 8, leaves them to everyone

_ELEMENT_BYTES = {BYTE: 1, ASCII: 1, SHORT: 2, RATIONAL: 4, 6: 1, UNDEFINED: 1, 8: 2, 9: 4}
_ELEMENT_BYTES |= {10: 4, 11: 4, _DOUBLE: 8}
"""Bytes that change places with the byte order, by type; types of places in a file are not here."""

_DOUBLES = {_PIXEL_SCALE: 3, _TIE_POINTS: 6, _TRANSFORMATION: 16}
"""Doubles of which each of these tags has one group, or several."""

_RASTER_TYPE, _PIXEL_IS_POINT = 1025, 2


@dataclass(frozen=True)
class OwnTag:
    """A tag that EXIF data has no place for.

    Attributes:
        name: what people call it.
        entry: as it goes into a new file, in the byte order `<`; None: it cannot.
    """

    name: str
    entry: Entry | None


def own_tags(directory: Directory, known: Iterable[int], most_bytes: int) -> tuple[OwnTag, ...]:
    """Return the tags of a directory that are not known to have a place elsewhere, by number.

    Args:
        directory: of a file.
        known: tags that have one.
        most_bytes: of the values that are kept together; tags behind that are not.
    """
    found = []
    for tag in sorted(directory.fields.keys() - set(known)):
        field = directory.fields[tag]
        keeps = _may_be_kept(tag, field) and len(field.value) <= most_bytes
        entry = None
        if keeps:
            entry = Entry(tag, field.kind, _exchanged(field.value, field.kind, directory.order))
            most_bytes -= len(entry.value)
        name = _TEXTS.get(tag) or _MAP.get(tag) or _DROPPED.get(tag) or str(tag)
        found.append(OwnTag(name, entry))
    return tuple(found)


def _may_be_kept(tag: int, field: DirectoryField) -> bool:
    if tag in _DOUBLES:
        return field.kind == _DOUBLE and field.count % _DOUBLES[tag] == 0
    if tag == _KEYS:
        return field.kind == SHORT
    return (tag in _TEXTS or tag in _MAP or tag in _PRIVATE) and field.kind in _ELEMENT_BYTES


def _exchanged(value: bytes | memoryview, kind: int, order: Order) -> bytes:
    """Return values of an order in the order `<`, or the other way: it is the same exchange."""
    if order == "<":
        return bytes(value)
    return np.frombuffer(value, f"u{_ELEMENT_BYTES[kind]}").byteswap().tobytes()


def entries(tags: Iterable[OwnTag], order: Order) -> list[Entry]:
    """Return what goes into a new directory, in its byte order."""
    kept = (tag.entry for tag in tags if tag.entry is not None)
    return [replace(entry, value=_exchanged(entry.value, entry.kind, order)) for entry in kept]


def without_place(tags: Iterable[OwnTag]) -> tuple[OwnTag, ...]:
    """Return the tags of a picture that was turned, in which a map lies elsewhere."""
    return tuple(replace(tag, entry=None) if tag.name == "GeoTIFF" else tag for tag in tags)


def tags_for_new_size(
    tags: tuple[OwnTag, ...], was: tuple[int, int], now: tuple[int, int]
) -> tuple[OwnTag, ...]:
    """Return the tags of a picture that covers the same with other pixels.

    Args:
        tags: of the picture.
        was: its width and height in pixels.
        now: those of the new one.
    """
    found = {tag.entry.tag: tag.entry for tag in tags if tag.entry is not None}
    if was == now or found.keys().isdisjoint(_DOUBLES):
        return tags
    factors = np.array([now[0] / was[0], now[1] / was[1]])
    # A point of the raster is the corner of a pixel, or its centre (GeoTIFF 1.1, 7.1.2).
    centre = 0.5 if _pixel_is_point(found.get(_KEYS)) else 0.0
    shift = centre * factors - centre
    changed = {}
    for tag in found.keys() & _DOUBLES.keys():
        values = np.frombuffer(found[tag].value, "<f8").reshape(-1, _DOUBLES[tag]).copy()
        _CHANGES[tag](values, factors, shift)
        changed[tag] = replace(found[tag], value=values.astype("<f8").tobytes())
    return tuple(
        tag if tag.entry is None else replace(tag, entry=changed.get(tag.entry.tag, tag.entry))
        for tag in tags
    )


def _pixel_is_point(keys: Entry | None) -> bool:
    """Tell whether the GeoKeys say so: four numbers each, the first of them the key's."""
    if keys is None:
        return False
    numbers = struct.unpack(f"<{keys.count}H", keys.value)
    rows = (numbers[at : at + 4] for at in range(4, len(numbers) - 3, 4))
    return any(row[:2] == (_RASTER_TYPE, 0) and row[3] == _PIXEL_IS_POINT for row in rows)


_Doubles = NDArray[np.float64]


def _finer(scales: _Doubles, factors: _Doubles, shift: _Doubles) -> None:
    """Change sizes of a pixel on the ground, by column and row."""
    scales[:, :2] /= factors


def _moved(points: _Doubles, factors: _Doubles, shift: _Doubles) -> None:
    """Change points of the raster, column and row, whose place on the ground stays."""
    points[:, :2] = points[:, :2] * factors + shift


def _other_way(matrices: _Doubles, factors: _Doubles, shift: _Doubles) -> None:
    """Change matrices from the raster to the ground, four rows of four."""
    for matrix in matrices.reshape(-1, 4, 4):
        matrix[:3, :2] /= factors
        matrix[:3, 3] -= matrix[:3, :2] @ shift


_CHANGES = {_PIXEL_SCALE: _finer, _TIE_POINTS: _moved, _TRANSFORMATION: _other_way}
