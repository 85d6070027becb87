"""Pictures through the library: files and arrays, against the command line and a plain repeat."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import edgesr
from edgesr.cli import main

RANDOM = np.random.default_rng(16)


@pytest.fixture
def nearest(make_nearest: Callable[..., Path]) -> Path:
    """A network that repeats every pixel four times along both sides."""
    return make_nearest(tile=8)


def repeated(array: np.ndarray) -> np.ndarray:
    return array.repeat(4, axis=0).repeat(4, axis=1)


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_an_array_keeps_its_shape_and_type(nearest: Path, dtype: str, channels: int | None) -> None:
    shape = (11, 19) if channels is None else (11, 19, channels)
    if dtype == "float32":
        array = RANDOM.random(shape, np.float32)
    else:
        array = RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    if channels in (2, 4):
        array[..., -1] = np.where(array[..., -1] > array.max() // 2, array.max(), array.max() // 2)
    before = array.copy()
    with edgesr.open_model(nearest) as model:
        large = model.upscale(array)
    np.testing.assert_array_equal(array, before)
    assert large.dtype == array.dtype
    assert large.shape == (44, 76, *shape[2:])
    step = 2e-6 if dtype == "float32" else 1  # alpha multiplies and divides: rounding
    np.testing.assert_allclose(large.astype(float), repeated(array).astype(float), atol=step)


def test_a_float_is_not_rounded_to_steps_of_a_file(nearest: Path) -> None:
    array = RANDOM.random((9, 9, 3), np.float32)
    np.testing.assert_allclose(edgesr.upscale(array, model=nearest), repeated(array), atol=1e-6)


def test_a_file_becomes_what_the_command_writes(data: Path, tmp_path: Path) -> None:
    photo = data / "pictures/turned_exif_icc.jpg"
    with pytest.raises(SystemExit) as stop:
        main(["upscale", str(photo), "-m", "esr-fast", "-o", str(tmp_path / "command.png")])
    assert stop.value.code == 0
    done = edgesr.upscale(photo, tmp_path / "library.png", model="esr-fast")
    expected = (tmp_path / "command.png").read_bytes()
    assert (tmp_path / "library.png").read_bytes() == expected
    with Image.open(tmp_path / "library.png") as image:
        assert image.size == done.output_size
        assert image.info["icc_profile"]
        array = edgesr.upscale(str(photo), model="esr-fast")
        np.testing.assert_array_equal(array, np.asarray(image))
    assert (done.input, done.model, done.scale) == (str(photo), "esr-fast", 4)


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [("grey.png", (64, 96), "uint8"), ("grey_16.png", (64, 96), "uint16"),
     ("rgba_16.png", (64, 96, 4), "uint16"), ("grey_alpha.png", (64, 96, 2), "uint8")],
)  # fmt: skip
def test_an_array_has_the_channels_of_the_file(
    nearest: Path, data: Path, name: str, shape: tuple[int, ...], dtype: str
) -> None:
    large = edgesr.upscale(data / "pictures" / name, model=nearest)
    assert (large.shape, large.dtype.name) == (shape, dtype)


def test_an_array_goes_into_a_file(nearest: Path, tmp_path: Path) -> None:
    array = RANDOM.integers(0, 256, (5, 7, 3), np.uint8)
    done = edgesr.upscale(array, tmp_path / "a.png", model=nearest)
    assert (done.input, done.read_ms, done.input_size) == (None, 0.0, (7, 5))
    written = cv2.imread(str(tmp_path / "a.png"))[:, :, ::-1]
    np.testing.assert_array_equal(written, repeated(array))


def test_no_file_is_replaced_unasked(nearest: Path, data: Path, tmp_path: Path) -> None:
    target = tmp_path / "there.png"
    target.write_bytes(b"mine")
    photo = data / "pictures/grey.png"
    with pytest.raises(edgesr.ConfigError, match="is there already") as error:
        edgesr.upscale(photo, target, model=nearest)
    assert str(error.value.fix) == "overwrite=True"
    assert target.read_bytes() == b"mine"
    edgesr.upscale(photo, target, model=nearest, overwrite=True)
    with Image.open(target) as image:
        assert image.size == (96, 64)


def test_the_picture_itself_is_never_replaced(nearest: Path, data: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    own.write_bytes((data / "pictures/grey.png").read_bytes())
    (tmp_path / "link.png").symlink_to(own)
    before = own.read_bytes()
    for target in (own, tmp_path / "link.png"):
        with pytest.raises(edgesr.ConfigError, match="picture itself"):
            edgesr.upscale(own, target, model=nearest, overwrite=True)
    assert own.read_bytes() == before


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 4, 5), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.full((4, 4), 1.5, np.float32), "from 0 to 1"),
        (np.full((4, 4), np.nan, np.float32), "from 0 to 1"),
        ([[1, 2]], "neither a file nor an array"),
    ],
)
def test_what_is_no_picture_is_refused(
    nearest: Path, tmp_path: Path, array: object, message: str
) -> None:
    for output in (None, tmp_path / "a.png"):
        with pytest.raises(edgesr.ImageError, match=message) as error:
            edgesr.upscale(array, output, model=nearest)
        assert error.value.field == "picture"
    assert not list(tmp_path.glob("a.png"))


def test_floats_have_no_file(nearest: Path, tmp_path: Path) -> None:
    with pytest.raises(edgesr.ImageError, match="choice of depth"):
        edgesr.upscale(np.zeros((4, 4), np.float32), tmp_path / "a.png", model=nearest)
    assert not list(tmp_path.glob("a.png"))


@pytest.mark.parametrize(
    ("options", "field"),
    [({"tile": 9}, "tile"), ({"tile": 0}, "tile"), ({"overlap": 7}, "overlap"),
     ({"scale": 9}, "scale"), ({"backend": "abacus"}, "backend")],
)  # fmt: skip
def test_an_error_names_the_argument(nearest: Path, options: dict[str, int], field: str) -> None:
    with pytest.raises(edgesr.ConfigError) as error:
        edgesr.upscale(np.zeros((20, 20), np.uint8), model=nearest, **options)
    assert error.value.field == field
    assert str(error.value).startswith(f"{field}: ")
    assert "--" not in str(error.value).replace("-s 4 --tile", "")
    assert str(error.value.as_options()).startswith(f"--{field}: ")


def test_the_command_line_names_the_option(
    nearest: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["upscale", str(data / "photo.png"), "-m", str(nearest), "--tile", "9"])
    assert stop.value.code == 1
    assert "photo.png: --tile: " in (said := capsys.readouterr().err)
    assert "try: edgesr export -m nearest -s 4 --tile 9" in said


def test_the_network_follows_the_picture(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (12, 14, 3), np.uint8)
    for name in ("a.jpg", "a.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    with edgesr.open_model() as model:
        lossy = model.upscale(tmp_path / "a.jpg", tmp_path / "from_jpg.png")
        clean = model.upscale(tmp_path / "a.png", tmp_path / "from_png.png")
        assert set(model.backends) == {"photo", "student"}
    assert (lossy.model, clean.model) == ("photo", "student")


def test_a_background_is_what_shows_through(nearest: Path, tmp_path: Path) -> None:
    array = np.zeros((20, 30, 4), np.uint8)
    array[:, 15:] = 255
    output = tmp_path / "a.bmp"
    with pytest.raises(edgesr.ImageError, match="BMP has no alpha channel") as refused:
        edgesr.upscale(array, output, model=nearest)
    assert refused.value.field == "picture"
    assert "background='white'" in str(refused.value)
    with pytest.raises(edgesr.ConfigError, match="'puce' is no colour") as refused:
        edgesr.upscale(array, output, model=nearest, background="puce")
    assert refused.value.field == "background"
    assert not output.exists()
    edgesr.upscale(array, output, model=nearest, background="#ff8000")
    with Image.open(output) as image:
        large = np.asarray(image)
    assert (large[:, :60] == (255, 128, 0)).all()
    assert (large[:, 60:] == 255).all()


def test_a_file_that_is_ended_half_way_leaves_nothing(nearest: Path, tmp_path: Path) -> None:
    def stop(done: int, tiles: int) -> None:
        assert tiles > 20
        if done == 20:
            raise KeyboardInterrupt

    array = RANDOM.integers(0, 255, (60, 20, 3), np.uint8)
    folder = tmp_path / "results"
    folder.mkdir()
    with edgesr.open_model(nearest) as model, pytest.raises(KeyboardInterrupt):
        model.upscale(array, folder / "a.png", on_tile=stop)
    assert list(folder.iterdir()) == []
