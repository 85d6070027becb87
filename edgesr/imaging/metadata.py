"""What a file says of its picture beside its pixels, EXIF data and colour profile.

Each format has its own way to hold these; the readers of the formats bring them to the forms here
and the writers take them from here, so that nothing is tied to the format it came in.
"""

import re
from dataclasses import dataclass, fields, replace

from edgesr.imaging.exif import EXCHANGED
from edgesr.imaging.tiff_own_tags import OwnTag, tags_for_new_size, without_place

MOST_BYTES = 4 << 20
"""Most bytes of one block of metadata, inflated; a profile of a printer takes three million."""

MOST_TEXT = 1 << 20
"""Most bytes of all texts of a PNG file together, as stored."""

_ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)([1-8])(?=\s*[\"'<])")
_SIZES = (
    (re.compile(rb"((?:tiff:ImageWidth|exif:PixelXDimension)\s*(?:=\s*[\"']|>)\s*)(\d+)"), 0),
    (re.compile(rb"((?:tiff:ImageLength|exif:PixelYDimension)\s*(?:=\s*[\"']|>)\s*)(\d+)"), 1),
)


@dataclass(frozen=True)
class Density:
    """How many pixels lie on a length of paper.

    Attributes:
        across: pixels an inch, from left to right.
        down: pixels an inch, from top to bottom.
    """

    across: float
    down: float

    def turned(self) -> "Density":
        """Return the density of the picture with rows and columns exchanged."""
        return Density(self.down, self.across)


@dataclass(frozen=True)
class Metadata:
    """What a file says of its picture beside EXIF data and colour profile.

    Attributes:
        xmp: XMP packet (ISO 16684-1), XML in UTF-8.
        iptc: IPTC-IIM records.
        comment: a free text.
        texts: PNG chunks of text, each its four letters and its content, as stored.
        colour: PNG chunks cICP, sRGB, gAMA and cHRM in the same way: in which colours the values
            are to be understood where there is no profile.
        density: of the pixels on paper.
        tags: TIFF tags that EXIF data has no place for.
    """

    xmp: bytes | None = None
    iptc: bytes | None = None
    comment: str | None = None
    texts: tuple[bytes, ...] = ()
    colour: tuple[bytes, ...] = ()
    density: Density | None = None
    tags: tuple[OwnTag, ...] = ()

    def turned_upright(self, orientation: int) -> "Metadata":
        """Return what holds of the picture as it is shown, of one stored in an orientation 1..8."""
        if orientation == 1:
            return self
        density = self.density
        if density is not None and orientation in EXCHANGED:
            density = density.turned()
        return replace(self, density=density, tags=without_place(self.tags))

    def for_new_size(self, was: tuple[int, int], now: tuple[int, int]) -> "Metadata":
        """Return the same of an upright picture of another size.

        Args:
            was: width and height in pixels.
            now: those of the new picture.
        """
        xmp = None if self.xmp is None else xmp_for_new_size(self.xmp, *now)
        return replace(self, xmp=xmp, tags=tags_for_new_size(self.tags, was, now))


NOTHING = Metadata()
"""Of a file that says nothing."""

NAMES = {
    "xmp": "the XMP data",
    "iptc": "the IPTC data",
    "comment": "the comment",
    "texts": "the texts",
    "colour": "the colour space",
    "density": "the resolution",
    "tags": "the TIFF tags",
}
"""What people call the attributes of `Metadata`."""


def present(metadata: Metadata) -> frozenset[str]:
    """Return the names of the attributes that say something."""
    return frozenset(
        field.name for field in fields(metadata) if getattr(metadata, field.name) not in (None, ())
    )


def xmp_orientation(xmp: bytes | None) -> int:
    """Return the orientation 1..8 that an XMP packet states, 1 where it states none."""
    found = None if xmp is None else _ORIENTATION.search(xmp)
    return 1 if found is None else int(found[2])


def xmp_for_new_size(xmp: bytes, width: int, height: int) -> bytes:
    """Return the packet for an upright picture of another size, in pixels."""
    changed = _ORIENTATION.sub(rb"\g<1>1", xmp)
    for pattern, side in _SIZES:
        number = str((width, height)[side]).encode()
        changed = pattern.sub(rb"\g<1>" + number, changed)
    return changed
