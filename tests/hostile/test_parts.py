"""Parts of a picture file that are damaged, denied by its header, or without number."""

import io
import struct
import subprocess
import sys
import time
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from peak_memory import PEAK_KIB
from PIL import Image

from benchmarks.hostile.hand_made import sealed
from benchmarks.hostile.mutated import seeds
from edgesr.errors import ImageError
from edgesr.imaging.picture import decode
from edgesr.imaging.quiet import captured_stderr

PICTURES = Path(__file__).parents[1] / "data/pictures"
VP8X_FLAGS, EXIF_FLAG = 20, 0x08
COMPRESSION, ORIENTATION = 259, 274  # tags of TIFF
DAMAGE = b"x" * 30


def _chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _riff(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


@pytest.mark.parametrize("name", [b"eXIf", b"iCCP"])
def test_a_png_whose_exif_data_or_profile_is_damaged_is_refused(name: bytes) -> None:
    """Its decoder leaves such a part out: a picture that lies on its side, or in other colours."""
    data = (PICTURES / "turned_exif_icc.png").read_bytes()
    at = data.index(name) + 4
    damaged = bytearray(data)
    damaged[at + 20] ^= 1
    with pytest.raises(ImageError, match="the PNG file is damaged"):
        decode(bytes(damaged))
    size = struct.unpack_from(">I", data, at - 8)[0]
    without = decode(data[: at - 8] + data[at + size + 4 :])
    assert (without.exif is None) == (name == b"eXIf")
    assert (without.icc is None) == (name == b"iCCP")


@pytest.mark.parametrize("name", [b"t\x80NS", b"uRNS"])
def test_transparency_whose_name_is_damaged_is_not_lost(name: bytes) -> None:
    data = (PICTURES / "palette_key.png").read_bytes()
    assert decode(data).alpha is not None
    damaged = data.replace(b"tRNS", name)
    with pytest.raises(ImageError, match="the PNG file is damaged"):
        decode(damaged)
    if name.isalpha():  # a part of another program, by all that can be seen
        assert decode(sealed(damaged)).alpha is None


def test_damaged_pixels_of_a_webp_do_not_go_on_in_its_exif_data() -> None:
    """Pillow, which hands its decoder the pixels alone, is the judge."""
    data = seeds()["turned_RGB_64x40.webp"]
    start, end = data.index(b"VP8 ") + 18, data.index(b"EXIF")
    refused = 0
    for at in range(start, end - len(DAMAGE)):
        damaged = data[:at] + DAMAGE + data[at + len(DAMAGE) :]
        try:
            Image.open(io.BytesIO(damaged)).load()
        except OSError:
            refused += 1
            with pytest.raises(ImageError):
                decode(damaged)
        else:
            decode(damaged)  # whole, and of another picture
    assert refused > 20


def test_pixels_are_put_last_without_a_change() -> None:
    for path in sorted(PICTURES.glob("*.webp")):
        data = path.read_bytes()
        theirs = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
        picture = decode(data)
        if "turned" not in path.name:
            np.testing.assert_array_equal(picture.colour, theirs[:, :, :3])
    turned = decode((PICTURES / "turned_exif_icc.webp").read_bytes())
    assert turned.exif is not None
    assert turned.icc is not None


def test_exif_data_that_a_webp_denies_is_told() -> None:
    data = bytearray(seeds()["turned_RGB_64x40.webp"])
    assert decode(bytes(data)).notes == ()
    data[VP8X_FLAGS] &= ~EXIF_FLAG
    picture = decode(bytes(data))
    assert picture.notes == ("its EXIF data was left out: its header says there is none",)
    assert (picture.width, picture.height) == Image.open(io.BytesIO(data)).size


@pytest.mark.parametrize(
    ("flag", "name"), [(0x20, "colour profile"), (0x08, "EXIF data"), (0x04, "XMP data")]
)
def test_metadata_that_a_webp_denies_is_left_out_as_by_others(flag: int, name: str) -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.new("RGB", (16, 8)).save(
        file, "WEBP", exif=exif, icc_profile=b"profile " * 20, xmp=b"<x:xmpmeta/>"
    )
    data = bytearray(file.getvalue())
    before, key = decode(bytes(data)), {0x20: "icc_profile", 0x08: "exif", 0x04: "xmp"}[flag]
    assert before.notes == ()
    assert None not in (before.icc, before.exif, before.metadata.xmp)
    data[VP8X_FLAGS] &= ~flag
    picture = decode(bytes(data))
    assert picture.notes == (f"its {name} was left out: its header says there is none",)
    theirs = Image.open(io.BytesIO(data))
    assert key not in theirs.info
    ours = {"icc_profile": picture.icc, "exif": picture.exif, "xmp": picture.metadata.xmp}
    assert {name for name, value in ours.items() if value is None} == {key}


def test_a_png_profile_that_does_not_inflate_is_told() -> None:
    data = (PICTURES / "turned_exif_icc.png").read_bytes()
    at = data.index(b"iCCP") + 4
    (size,) = struct.unpack_from(">I", data, at - 8)
    damaged = data[: at + 20] + bytes(size - 20) + data[at + size :]
    picture = decode(sealed(damaged))
    assert picture.icc is None
    assert picture.notes == ("its colour profile cannot be read and was left out",)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_exif_data_that_cannot_be_read_is_told(ending: str) -> None:
    data = (PICTURES / f"turned_exif_icc.{ending}").read_bytes()
    assert decode(data).notes == ()
    at = max(data.find(b"II*\0"), data.find(b"MM\0*"))
    damaged = data[: at + 2] + b"XX" + data[at + 4 :]
    (note,) = decode(sealed(damaged) if ending == "png" else damaged).notes
    assert note.startswith("its EXIF data cannot be read")


@pytest.mark.parametrize("name", ["group4_1_64x40.tif", "packbits_L_64x40.tif"])
def test_lines_that_libtiff_cannot_follow_are_damage(name: str) -> None:
    """It says so in a warning, and goes on with white or with what it has."""
    data = seeds()[name]
    at = 8 if data[4:8] != struct.pack("<I", 8) else len(data) // 2
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(20):
        damaged = bytearray(data)
        damaged[at : at + 30] = rng.bytes(30)
        try:
            decode(bytes(damaged))
        except ImageError:
            refused += 1
    assert refused >= 15


def test_corrupt_jpeg_data_in_a_tiff_is_told_as_in_a_jpeg() -> None:
    """OpenCV's libtiff, which is not asked for such a file, is the judge."""
    data = seeds()["jpeg_RGB_64x40.tif"]
    told = 0
    for number in range(len(data) // 4, len(data) // 2):
        damaged = bytearray(data)
        damaged[number] ^= 0x55
        with captured_stderr() as complaints:
            cv2.imdecode(np.frombuffer(damaged, np.uint8), cv2.IMREAD_UNCHANGED)
        try:
            found = "Corrupt JPEG data" in "".join(decode(bytes(damaged)).notes)
            told += found
        except ImageError:
            found = True
        assert found or "Corrupt JPEG data" not in complaints.text
    assert told > 10


@pytest.mark.parametrize("kind", [2, 5, 11])  # text, a fraction, a float
def test_an_orientation_that_is_no_whole_number_is_damage(kind: int) -> None:
    file = io.BytesIO()
    Image.new("RGB", (16, 8)).save(file, "TIFF", tiffinfo={ORIENTATION: 6})
    data = file.getvalue()
    assert (decode(data).width, decode(data).height) == (8, 16)
    entry = struct.pack("<HH", ORIENTATION, 3)
    assert data.count(entry) == 1
    with pytest.raises(ImageError, match="the TIFF file is damaged"):
        decode(data.replace(entry, struct.pack("<HH", ORIENTATION, kind)))


@pytest.mark.parametrize("tag", [258, 278])  # bits of a sample, rows of a strip
def test_a_tag_outside_the_file_is_not_taken_for_its_default(tag: int) -> None:
    data = seeds()["packbits_L_64x40.tif"]
    entry = struct.pack("<HHI", tag, 3, 1)
    assert data.count(entry) == 1
    with pytest.raises(ImageError, match="the TIFF file is damaged"):
        decode(data.replace(entry, struct.pack("<HHI", tag, 3, 1 << 20)))


@pytest.mark.parametrize("compression", ["lzma", "zstd"])
def test_rare_compressions_are_read_as_pillow_reads_them(compression: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "TIFF", compression=compression)
    np.testing.assert_array_equal(decode(file.getvalue()).colour, pixels)


@pytest.mark.parametrize(("number", "name"), [(34934, "JPEG XR"), (34661, "JBIG"), (7777, "")])
def test_a_compression_that_is_not_read_is_not_called_damage(number: int, name: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "TIFF", compression="lzma")
    entry = struct.pack("<HHII", COMPRESSION, 3, 1, 34925)
    assert file.getvalue().count(entry) == 1
    changed = file.getvalue().replace(entry, struct.pack("<HHII", COMPRESSION, 3, 1, number))
    with pytest.raises(ImageError, match=f"TIFF pictures of {name or 'kind 7777'} compression"):
        decode(changed)


@pytest.mark.parametrize(
    "kind",
    [
        "IDAT before",
        pytest.param("IDAT behind", marks=pytest.mark.long),
        "WebP parts",
        pytest.param("WebP frames", marks=pytest.mark.long),
    ],
)
def test_parts_without_number_take_little(kind: str, tmp_path: Path) -> None:
    """A PNG file of 95 MB with eight million empty chunks took 72 s and 4 GB."""
    png, webp = seeds()["png_RGB_64x40.png"], seeds()["turned_RGB_64x40.webp"]
    first, last = png.index(b"IDAT") - 4, len(png) - 12
    many, size = _chunk(b"IDAT"), 100_000_000
    path = tmp_path / "long"
    path.write_bytes(
        {
            "IDAT before": lambda: png[:first] + many * (size // 12) + png[first:],
            "IDAT behind": lambda: png[:last] + many * (size // 12) + png[last:],
            "WebP parts": lambda: _riff(webp + b"abcd\0\0\0\0" * (size // 8)),
            "WebP frames": lambda: _riff(webp + b"ANMF\0\0\0\0" * (size // 8)),
        }[kind]()
    )
    code = (
        "import sys; from pathlib import Path\n"
        "from edgesr.errors import ImageError\n"
        "from edgesr.imaging.picture import read_picture\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except ImageError: print('refused')\n"
        f"print({PEAK_KIB} // 1024)\n"
    )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    refused, peak_mib = done.stdout.split()
    assert refused == "refused"
    assert int(peak_mib) < 1000
    assert time.monotonic() - start < 30.0
    many_small = [png[first + 8 + n : first + 9 + n] for n in range(last - first - 12)]
    one_byte_each = png[:first] + b"".join(_chunk(b"IDAT", one) for one in many_small) + png[last:]
    np.testing.assert_array_equal(decode(one_byte_each).colour, decode(png).colour)


def test_what_pillow_says_of_an_avif_files_exif_data_goes_nowhere() -> None:
    """It warns of entries that lie behind the end; a warning is an error in these tests."""
    entry = struct.pack("<HHII", ORIENTATION, 7, 1 << 20, 8)
    exif = b"II*\0" + struct.pack("<IH", 8, 2) + entry * 2 + bytes(4)
    file = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.new("RGB", (24, 20), (9, 90, 200)).save(file, "AVIF", exif=exif)
    except (KeyError, OSError):
        pytest.skip("Pillow writes no AVIF here")
    picture = decode(file.getvalue())
    assert (picture.width, picture.height) == (24, 20)
