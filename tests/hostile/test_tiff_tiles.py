"""TIFF files from strangers: tiles of odd sizes, and directories that ask for a lot."""

import io
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from peak_memory import PEAK_KIB
from PIL import Image

from benchmarks.hostile.hand_made import tiled_tiff
from edgesr.errors import ImageError
from edgesr.imaging.picture import decode

_LONG, _SHORT = 4, 3
_PIXELS = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)


def _changed(data: bytes, **fields: int | tuple[int, int]) -> bytes:
    """Return a little-endian TIFF with other values, or (count, value), of tags `t256=...`."""
    changed = bytearray(data)
    (entries,) = struct.unpack_from("<H", data, 8)
    for at in range(10, 10 + 12 * entries, 12):
        tag, kind, count, _ = struct.unpack_from("<HHII", data, at)
        new = fields.pop(f"t{tag}", None)
        if isinstance(new, tuple):
            struct.pack_into("<HHII", changed, at, tag, kind, *new)
        elif new is not None:
            struct.pack_into("<HHII", changed, at, tag, _LONG, count, new)
    assert not fields
    return bytes(changed)


def _refused(data: bytes, tmp_path: Path, most_mib: int = 300) -> str:
    """Decode in a process of its own; return the reason, and check what it took."""
    path = tmp_path / "x.tif"
    path.write_bytes(data)
    code = (
        "import sys; from pathlib import Path\n"
        "from edgesr.errors import EdgesrError\n"
        "from edgesr.imaging.picture import read_picture\n"
        "try: read_picture(Path(sys.argv[1]))\n"
        "except EdgesrError as error: print(error.what)\n"
        f"print({PEAK_KIB} // 1024)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said, peak_mib = done.stdout.splitlines()
    assert int(peak_mib) < most_mib
    return said


@pytest.mark.parametrize("side", [16, 32, 48, 64, 128])
@pytest.mark.parametrize("deflated", [False, True])
def test_tiles_of_any_side_are_read(side: int, deflated: bool) -> None:
    data = tiled_tiff(_PIXELS, side, deflated)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), _PIXELS)
    np.testing.assert_array_equal(decode(data).colour, _PIXELS)


def test_a_tile_that_is_too_short_is_damage() -> None:
    data = tiled_tiff(_PIXELS, 64)
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode(_changed(data, t325=1024))


def test_tiny_tiles_are_not_counted_one_by_one() -> None:
    """120 million tiles of one pixel, of which the file names one."""
    bomb = _changed(tiled_tiff(_PIXELS), t256=10_000, t257=12_000, t322=1, t323=1)
    start = time.process_time()
    with pytest.raises(ImageError, match="damaged or cut short"):
        decode(bomb)
    assert time.process_time() - start < 0.5


@pytest.mark.long
def test_tags_that_share_a_long_list_take_little_memory(tmp_path: Path) -> None:
    """Sixty megabytes that are the places of fifteen million tiles, and their sizes as well."""
    count = 15_000_000
    data = tiled_tiff(_PIXELS)
    bomb = _changed(
        data, t256=15_000, t257=1000, t322=1, t323=1,
        t324=(count, len(data)), t325=(count, len(data)),
    ) + np.full(count, 1000, "<u4").tobytes()  # fmt: skip
    assert "damaged" in _refused(bomb, tmp_path)


@pytest.mark.parametrize("sides", [(16_368, 16_368), (1_600_000, 160), (160, 1_600_000)])
def test_a_tile_much_larger_than_its_picture_takes_no_memory(
    sides: tuple[int, int], tmp_path: Path
) -> None:
    across, down = sides
    bomb = _changed(tiled_tiff(_PIXELS, deflated=True), t322=across, t323=down)
    assert f"tiles of {across}x{down} pixels are not read" in _refused(bomb, tmp_path)


def test_a_small_picture_in_one_ordinary_tile_is_read() -> None:
    for side in (256, 1024):
        np.testing.assert_array_equal(decode(tiled_tiff(_PIXELS, side)).colour, _PIXELS)
