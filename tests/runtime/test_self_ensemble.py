import numpy as np
import pytest
from numpy.typing import NDArray

from edgesr.runtime.select import open_session
from edgesr.runtime.self_ensemble import SelfEnsemble


class Shifted:
    """Repeats every pixel twice and adds a slope: not the same in every orientation."""

    backend, model, scale, tile, batch = "none", "shifted", 2, None, None

    def __init__(self) -> None:
        self.calls = 0

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        large = tiles.repeat(2, axis=2).repeat(2, axis=3)
        height, width = large.shape[2:]
        down = np.linspace(-1, 1, height)[:, None]
        return (large + down + 3 * np.linspace(-1, 1, width)).astype(np.float32)

    def close(self) -> None:
        raise AssertionError("it belongs to somebody else")


@pytest.mark.parametrize("size", [(6, 6), (4, 7)])
def test_what_differs_by_orientation_averages_out(size: tuple[int, int]) -> None:
    tiles = np.random.default_rng(0).random((3, 3, *size), np.float32)
    network = Shifted()
    ensemble = SelfEnsemble(network)
    large = ensemble.run(tiles)
    assert network.calls == 8
    np.testing.assert_allclose(large, tiles.repeat(2, axis=2).repeat(2, axis=3), atol=1e-5)
    ensemble.close()


def test_a_turned_picture_gives_the_turned_result() -> None:
    tile = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    session = open_session("esr-fast", "onnxruntime")
    ensemble = SelfEnsemble(session)
    turned = np.rot90(tile, axes=(2, 3))
    expected = np.rot90(ensemble.run(tile), axes=(2, 3))
    np.testing.assert_allclose(ensemble.run(turned), expected, atol=1e-5)
    plain = np.rot90(session.run(tile), axes=(2, 3))
    assert np.abs(session.run(np.ascontiguousarray(turned)) - plain).max() > 1e-3
    session.close()
