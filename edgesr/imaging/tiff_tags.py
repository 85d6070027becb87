"""The tags of a TIFF file that speak of its picture and have no place in EXIF data."""

import struct

from edgesr.imaging.directory import RATIONAL, Directory
from edgesr.imaging.exif import EXIF_DIRECTORY
from edgesr.imaging.exif_block import (
    EXIF_TAGS,
    GPS_DIRECTORY,
    IMAGE_DESCRIPTION,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    describes_storage,
    states_only_a_shape,
)
from edgesr.imaging.metadata import MOST_BYTES, Density, Metadata
from edgesr.imaging.photoshop import read_iptc
from edgesr.imaging.tiff_own_tags import own_tags

ICC, XMP, IPTC, PHOTOSHOP = 34675, 700, 33723, 34377
"""Tags of the profile, XMP, IPTC records and Photoshop's resources."""

STORAGE = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288}
    | {289, 290, 291, 292, 293, 297, 301, 317, 318, 319, 320, 322, 323, 324, 325, 330, 332, 334}
    | {338, 339, 340, 341, 347, 512, 513, 514, 529, 530, 531, 532, 37724, 50341, 50674}
)
"""Tags that say how the pixels are stored, which a new file has of its own."""

_PER_INCH = {1: 0.0, 2: 1.0, 3: 2.54}


def metadata_of(directory: Directory) -> Metadata:
    """Return what a directory says beside EXIF data and profile."""
    iptc = directory.block(IPTC, MOST_BYTES)
    if iptc is None:
        resources = directory.block(PHOTOSHOP, MOST_BYTES)
        iptc = None if resources is None else read_iptc(resources)
    known = STORAGE | EXIF_TAGS | {ICC, XMP, IPTC, PHOTOSHOP, EXIF_DIRECTORY, GPS_DIRECTORY}
    if describes_storage(directory) and not states_only_a_shape(directory):
        known = known - {IMAGE_DESCRIPTION}
    return Metadata(
        xmp=directory.block(XMP, MOST_BYTES),
        iptc=None if iptc is None else iptc.rstrip(b"\0") or None,
        density=_density(directory),
        tags=own_tags(directory, known, MOST_BYTES),
    )


def _density(directory: Directory) -> Density | None:
    unit = _PER_INCH.get(directory.number(RESOLUTION_UNIT) or 2, 0.0)
    across, down = (_rational(directory, tag) for tag in (X_RESOLUTION, Y_RESOLUTION))
    return Density(across * unit, down * unit) if across * unit > 0 and down * unit > 0 else None


def _rational(directory: Directory, tag: int) -> float:
    field = directory.fields.get(tag)
    if field is None or field.kind != RATIONAL:
        return 0.0
    above, below = struct.unpack_from(f"{directory.order}II", field.value)
    return above / below if below else 0.0
