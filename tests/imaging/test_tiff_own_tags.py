"""Tags that only a TIFF file has, written and read by tifffile: where a map lies, names, others."""

import io
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import Picture, decode
from edgesr.imaging.resize_picture import resized

PIXELS = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
AREA, POINT = (1, 1, 0, 1, 1025, 0, 1, 1), (1, 1, 0, 1, 1025, 0, 1, 2)
NEW = (75, 60)  # 2.5 and 3 times


def stored(*tags: tuple[object, ...], order: str = "<", **options: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(
        file, PIXELS, photometric="rgb", byteorder=order, metadata=None, extratags=list(tags),
        **options,
    )  # fmt: skip
    return file.getvalue()


def enlarged(data: bytes) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the tags of a picture enlarged into a TIFF file, by tifffile, and the notes."""
    written, notes = encode(resized(decode(data), *NEW), format_for(".tiff"))
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        tags = file.pages[0].tags
        assert file.pages[0].asarray().shape == (NEW[1], NEW[0], 3)
        return {str(tag.code): tag.value for tag in tags}, notes


@pytest.mark.parametrize("order", ["<", ">"])
def test_names_and_private_tags_go_on_into_a_tiff_file(order: str) -> None:
    data = stored(
        (269, "s", 0, "a map", True), (285, "s", 0, "page 3", True), (42113, "s", 0, "-9999", True),
        (65000, "H", 3, (1, 2, 300), True), (65001, "d", 2, (0.5, -3.0), True),
        (286, "2I", 1, (7, 2), True), (65002, "I", 1, 7, True), (40000, "H", 1, 5, True),
        order=order,
    )  # fmt: skip
    tags, notes = enlarged(data)
    assert tags["269"] == "a map" and tags["285"] == "page 3" and tags["42113"] == "-9999"
    assert tags["65000"] == (1, 2, 300) and tags["65001"] == (0.5, -3.0) and tags["286"] == (7, 2)
    # 65002 may be a place in the old file, 40000 may say how the pixels were stored.
    assert notes == ("the TIFF tags 40000, 65002 could not be kept in a TIFF file",)
    assert not tags.keys() & {"40000", "65002"}
    _, notes = encode(decode(data), format_for(".png"))
    told = "DocumentName, PageName, XPosition, 40000, GDAL"
    assert notes == (f"the TIFF tags {told} could not be kept in a PNG file",)


def ground(tags: dict[str, object], column: float, row: float) -> np.ndarray:
    """Return where a corner of the raster lies, as GeoTIFF 1.1 computes it (annex B.6)."""
    keys = np.reshape(tags["34735"], (-1, 4))
    centre = 0.5 if [1025, 0, 1, 2] in keys.tolist() else 0.0
    at = np.array([column - centre, row - centre])
    if "34264" in tags:
        matrix = np.reshape(tags["34264"], (4, 4))
        return matrix[:2, :2] @ at + matrix[:2, 3]
    scale, tie = np.array(tags["33550"]), np.array(tags["33922"])
    return tie[3:5] + (at - tie[:2]) * scale[:2] * [1, -1]


TIE = [
    (33550, "d", 3, (10.0, 20.0, 0.0), True),
    (33922, "d", 6, (4.0, 2.0, 0.0, 500_000.0, 4_000_000.0, 0.0), True),
]
MATRIX = [(34264, "d", 16, (8, 3, 0, 500, 2, -9, 0, 900, 0, 0, 1, 0, 0, 0, 0, 1), True)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("keys", [AREA, POINT], ids=["area", "point"])
@pytest.mark.parametrize("place", [TIE, MATRIX], ids=["tie point", "matrix"])
def test_a_map_stays_where_it_lies(place: list[tuple], keys: tuple[int, ...], order: str) -> None:
    data = stored(*place, (34735, "H", len(keys), keys, True), order=order)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        before = {str(tag.code): tag.value for tag in file.pages[0].tags}
    after, notes = enlarged(data)
    assert notes == ()
    for column, row in ((0, 0), (30, 0), (0, 20), (30, 20), (11, 7)):
        now = column * NEW[0] / 30, row * NEW[1] / 20
        np.testing.assert_allclose(ground(after, *now), ground(before, column, row), rtol=1e-12)
    assert not np.allclose(ground(after, 30, 20), ground(before, 30, 20))


def test_a_map_in_a_picture_that_is_turned_is_named() -> None:
    data = stored(*TIE, (274, "H", 1, 6, True), (269, "s", 0, "a map", True))
    picture = decode(data)
    assert (picture.height, picture.width) == (30, 20)
    written, notes = encode(picture, format_for(".tiff"))
    assert notes == ("the TIFF tags GeoTIFF could not be kept in a TIFF file",)
    with tifffile.TiffFile(io.BytesIO(written)) as file:
        assert 33550 not in file.pages[0].tags
        assert file.pages[0].tags[269].value == "a map"


def test_places_that_are_none_are_named() -> None:
    wrong = (33922, "d", 5, (1.0,) * 5, True), (33550, "f", 3, (1.0,) * 3, True)
    _, notes = enlarged(stored(*wrong))
    assert notes == ("the TIFF tags GeoTIFF could not be kept in a TIFF file",)


def test_tags_that_name_the_same_megabytes_are_not_multiplied() -> None:
    block = bytes(3 << 20)
    data = stored(*((number, "B", len(block), block, True) for number in (65000, 65001)))
    picture = decode(data)
    kept = [tag for tag in picture.metadata.tags if tag.entry is not None]
    assert [tag.name for tag in kept] == ["65000"]
    _, notes = encode(picture, format_for(".tiff"))
    assert notes == ("the TIFF tags 65001 could not be kept in a TIFF file",)


def test_a_picture_of_no_tiff_file_has_none() -> None:
    picture = Picture(PIXELS)
    assert picture.metadata.for_new_size((30, 20), NEW) == picture.metadata
    assert replace(picture.metadata, tags=()).turned_upright(6) == picture.metadata
