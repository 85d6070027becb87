"""A comparison as a file: a sheet in any picture format, or an HTML page."""

from edgesr.compare.page import page
from edgesr.compare.panels import PhotoComparison
from edgesr.compare.sheet import SheetCell, Texts, sheet
from edgesr.compare.text import ONCE, note, under
from edgesr.files import utf8
from edgesr.imaging.encode import FileFormat, encode
from edgesr.imaging.picture import Picture


def render(comparison: PhotoComparison, name: str, form: FileFormat | None) -> bytes:
    """Return a comparison as the content of a file.

    Args:
        comparison: what was compared.
        name: of the photograph, for the heading.
        form: kind of picture, a sheet; None: an HTML page.

    Raises:
        ImageError: the sheet cannot be written as such a picture.
    """
    if form is None:
        return utf8(page(comparison, name))
    cells = [
        SheetCell(panel.name, note(panel), panel.picture.colour) for panel in comparison.panels
    ]
    texts = Texts(f"{name}, side by side", under(comparison), ONCE)
    drawn = sheet(texts, comparison.photo.colour, comparison.crop, cells)
    data, _ = encode(Picture(drawn, icc=comparison.photo.icc), form)
    return data
