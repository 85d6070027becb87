"""One model in many threads, and its end while they work."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import edgesr

THREADS, CALLS = 8, 24


def test_results_in_threads_are_those_of_one_thread(tmp_path: Path) -> None:
    """Arrays and files, lossy and not, so that both networks are opened while others run."""
    pictures: list[np.ndarray | Path] = []
    for seed in range(CALLS):
        random = np.random.default_rng(seed)
        pixels = random.integers(0, 256, (20 + seed, 70 - seed, 3), np.uint8)
        if seed % 3 == 0:
            pictures.append(pixels)
            continue
        path = tmp_path / f"{seed}.{'jpg' if seed % 3 == 1 else 'png'}"
        Image.fromarray(pixels).save(path)
        pictures.append(path)
    with edgesr.open_model(backend="onnxruntime", threads=1) as model:
        expected = [model.upscale(picture) for picture in pictures]
    together = threading.Barrier(THREADS)

    def begin() -> None:
        together.wait(60)

    with (
        edgesr.open_model(backend="onnxruntime", threads=2) as model,
        ThreadPoolExecutor(THREADS, initializer=begin) as pool,
    ):
        found = list(pool.map(model.upscale, pictures))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_models_are_opened_and_closed_in_threads(make_nearest: Callable[..., Path]) -> None:
    path = make_nearest(tile=8)
    array = np.random.default_rng(0).integers(0, 256, (10, 10), np.uint8)

    def once(_: int) -> np.ndarray:
        return edgesr.upscale(array, model=path)

    with ThreadPoolExecutor(THREADS) as pool:
        for large in pool.map(once, range(CALLS)):
            np.testing.assert_array_equal(large, array.repeat(4, axis=0).repeat(4, axis=1))


def test_closing_waits_for_calls_and_refuses_later_ones(make_nearest: Callable[..., Path]) -> None:
    model = edgesr.open_model(make_nearest(tile=8))
    entered, gate, closed = threading.Event(), threading.Event(), threading.Event()

    def wait_once(done: int, tiles: int) -> None:
        entered.set()
        assert gate.wait(60)

    def close() -> None:
        model.close()
        closed.set()

    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(model.upscale, np.zeros((20, 20), np.uint8), on_tile=wait_once)
        assert entered.wait(60)
        pool.submit(close)
        assert not closed.wait(0.2)
        gate.set()
        assert running.result(60).shape == (80, 80)
        assert closed.wait(60)
    model.close()  # again, without effect
    with pytest.raises(edgesr.ConfigError, match="is closed"):
        model.upscale(np.zeros((20, 20), np.uint8))


def test_what_on_tile_raises_ends_the_call(make_nearest: Callable[..., Path]) -> None:
    calls = []

    def stop(done: int, tiles: int) -> None:
        calls.append((done, tiles))
        if done == 2:
            raise KeyboardInterrupt

    with edgesr.open_model(make_nearest(tile=8), threads=1) as model:
        with pytest.raises(KeyboardInterrupt):
            model.upscale(np.zeros((20, 20), np.uint8), on_tile=stop)
        assert calls == [(1, 16), (2, 16)]
        assert model.upscale(np.zeros((9, 9), np.uint8)).shape == (36, 36)
