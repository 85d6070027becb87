"""What one sample does and what is timed, with a network whose result and speed are known."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgesr.bench.control import open_control
from edgesr.bench.inputs import read_input
from edgesr.bench.subject import prepare
from edgesr.errors import ConfigError
from edgesr.imaging.resize import imresize
from edgesr.runtime.select import open_session

SLEEP_S = 0.02


class Slow:
    """A session that repeats pixels, takes 20 ms for it and says that the device took 5."""

    backend, model, scale = "onnxruntime", "slow", 2

    def __init__(self, tile: int | None = None, batch: int | None = None) -> None:
        self.tile, self.batch = tile, batch
        self.shapes: list[tuple[int, ...]] = []
        self.device_ms: float | None = None

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        self.shapes.append(tiles.shape)
        time.sleep(SLEEP_S)
        self.device_ms = 5.0
        return tiles.repeat(2, axis=2).repeat(2, axis=3)

    def close(self) -> None:
        pass


def test_the_three_clocks() -> None:
    subject = prepare(Slow(), read_input("32x32"), None)
    timing = subject.sample(0)
    assert timing.device_ms == 5.0
    assert 1000 * SLEEP_S <= timing.latency_ms <= timing.end_to_end_ms


def test_times_of_several_tiles_add_up() -> None:
    session = Slow(tile=32, batch=1)
    subject = prepare(session, read_input("64x32"), None)
    timing = subject.sample(0)
    assert timing.device_ms == 5.0 * len(session.shapes)
    assert timing.latency_ms >= 1000 * SLEEP_S * len(session.shapes)
    assert subject.runs.startswith("1 picture of 64x32 to 128x64, 3 tiles of 32x32")
    assert len(session.shapes) == 3


def test_tiles_share_a_call_as_in_upscaling() -> None:
    session = Slow(tile=32)
    subject = prepare(session, read_input("64x32"), None)
    subject.sample(0)
    assert session.shapes == [(3, 3, 32, 32)]
    assert subject.runs.endswith("3 tiles of 32x32, 3 a call")


def test_a_backend_without_a_device_clock(make_nearest: Callable[..., Path]) -> None:
    session = open_session(str(make_nearest(tile=16)), threads=1)
    timing = prepare(session, read_input("16x16"), None).sample(3)
    assert timing.device_ms is None
    assert 0 < timing.latency_ms < timing.end_to_end_ms


@pytest.mark.parametrize(
    ("of_session", "asked", "images"), [(None, 4, 4), (3, None, 3), (None, None, 1)]
)
def test_batches(of_session: int | None, asked: int | None, images: int) -> None:
    session = Slow(batch=of_session)
    subject = prepare(session, read_input("16x16"), asked)
    subject.sample(1)
    assert subject.images == images
    assert session.shapes == [(images, 3, 16, 16)]


def test_batches_are_of_different_patches() -> None:
    seen: list[NDArray[np.float32]] = []

    class Keeping(Slow):
        def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
            seen.append(tiles.copy())
            return super().run(tiles)

    source = read_input("16x16")
    prepare(Keeping(), source, 3).sample(4)
    order = [4, 0, 1]
    for tile, index in zip(seen[0], order, strict=True):
        expected = source.pictures[index].colour.transpose(2, 0, 1) / np.float32(255)
        np.testing.assert_allclose(tile, expected, atol=1e-6)


def test_another_batch_than_the_networks_is_refused() -> None:
    with pytest.raises(ConfigError, match="made for batches of 3, not 4") as error:
        prepare(Slow(batch=3), read_input("16x16"), 4)
    assert error.value.field == "batch"
    assert error.value.fix == "edgesr export -m slow -s 2 --batch 4"


def test_a_photo_is_one_image(data: Path) -> None:
    session = Slow(tile=64)
    subject = prepare(session, read_input(str(data / "photo.png")), 2)
    assert subject.images == 1
    subject.sample(0)
    assert all(shape[0] == 2 for shape in session.shapes)


@pytest.mark.parametrize(
    ("scale", "backend"), [(2, "onnxruntime"), (4, "onnxruntime"), (5, "numpy")]
)
def test_the_control_is_matlabs_bicubic(scale: int, backend: str) -> None:
    picture = read_input("64x64").pictures[0]
    session = open_control(scale, threads=1)
    assert (session.model, session.scale, session.backend) == ("bicubic", scale, backend)
    enlarged = prepare(session, read_input("16x16"), None).enlarge(picture).colour
    expected = imresize(picture.colour.astype(np.float32) / np.float32(255), scale)
    expected = np.rint(np.clip(expected, 0, 1) * 255)
    assert np.abs(enlarged - expected).max() <= 1  # a half may round either way
    assert np.mean(enlarged != expected) < 1e-3
    session.close()
