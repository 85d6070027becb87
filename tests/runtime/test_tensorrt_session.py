"""The order of copies and launches, on a simulated GPU; the real one is tried on a board."""

import dataclasses

import numpy as np
import pytest
import simulated_cuda

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.boards.gpu import Gpu
from edgesr.engine import find
from edgesr.errors import EngineError, MissingError, ModelError
from edgesr.files import sha256
from edgesr.runtime.tensorrt_session import SLOTS, TensorRTSession
from edgesr.runtime.upscale import upscale

BATCH, TILE, SCALE = 2, 8, 4


@pytest.fixture
def write_engine(tmp_path, engine_manifest):
    """Return a function that writes an engine of the simulated GPU with its manifest."""
    large = SCALE * TILE

    def write(content):
        path = tmp_path / "small.engine"
        path.write_bytes(content)
        dataclasses.replace(
            engine_manifest,
            tile=TILE,
            batch=BATCH,
            inputs={"lr": (BATCH, 3, TILE, TILE)},
            outputs={"hr": (BATCH, 3, large, large)},
            engine_sha256=sha256(path),
        ).write(path)
        return path

    return write


@pytest.fixture
def engine(write_engine, monkeypatch):
    """An engine on the simulated GPU, which is an Orin."""
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    return write_engine(b"plan")


def tiles(count, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 0.4, (count, 3, TILE, TILE)).astype(np.float32)


def enlarged(small):
    return small.repeat(SCALE, 2).repeat(SCALE, 3)


@pytest.mark.parametrize("seed", range(20))
def test_every_tile_comes_out_at_its_place(engine, monkeypatch, seed):
    gpu = simulated_cuda.Gpu(seed)
    simulated_cuda.install(monkeypatch, gpu)
    session = TensorRTSession(engine)
    for count in (1, 2, 3, 9):
        small = tiles(count, seed + count)
        np.testing.assert_array_equal(session.run(small), enlarged(small))
    assert gpu.depth == 0, "the context stack is not as it was"
    assert not any(gpu.streams.values())
    session.close()
    session.close()


def test_copies_and_computation_of_two_batches_are_in_flight_together(engine, monkeypatch):
    gpu = simulated_cuda.Gpu()
    gpu.random.randrange = lambda stop: 0  # a GPU that does nothing until somebody waits
    simulated_cuda.install(monkeypatch, gpu)
    session = TensorRTSession(engine)
    gpu.most_in_flight = 0
    session.run(tiles(8))
    one_batch = 10  # upload, event, wait, event, compute, sums, event, wait, download, event
    assert gpu.most_in_flight == SLOTS * one_batch


def test_device_time_is_that_of_the_latest_call(engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    session = TensorRTSession(engine)
    session.run(tiles(8))
    long = session.device_ms
    session.run(tiles(2))
    assert 0 < session.device_ms < long


def test_no_tiles(engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    assert TensorRTSession(engine).run(tiles(0)).shape == (0, 3, SCALE * TILE, SCALE * TILE)


def test_without_a_cuda_driver_to_capture_it_says_so(engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    assert TensorRTSession(engine).graph == "none"


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("is_integrated", [False, True])
def test_with_graphs_every_tile_comes_out_at_its_place(engine, monkeypatch, seed, is_integrated):
    gpu = simulated_cuda.Gpu(seed)
    gpu.is_integrated = is_integrated
    simulated_cuda.install(monkeypatch, gpu)
    simulated_cuda.install_graphs(monkeypatch, gpu)
    session = TensorRTSession(engine)
    assert session.graph == "cuda graph"
    for count in (1, 2, 3, 9, 1):
        small = tiles(count, seed + count)
        np.testing.assert_array_equal(session.run(small), enlarged(small))
        assert session.device_ms > 0
    session.close()


def test_a_short_call_is_one_launch_without_copies_on_other_streams(engine, monkeypatch):
    gpu = simulated_cuda.Gpu()
    gpu.random.randrange = lambda stop: 0
    simulated_cuda.install(monkeypatch, gpu)
    simulated_cuda.install_graphs(monkeypatch, gpu)
    session = TensorRTSession(engine)
    gpu.most_in_flight = 0
    session.run(tiles(2))
    assert gpu.most_in_flight == 6  # upload, stamp, network, stamp, sums, download
    gpu.is_integrated = True
    simulated_cuda.install(monkeypatch, gpu)
    simulated_cuda.install_graphs(monkeypatch, gpu)
    session = TensorRTSession(engine)
    gpu.most_in_flight = 0
    session.run(tiles(2))
    assert gpu.most_in_flight == 4  # stamp, network, stamp, sums: nothing is copied


def test_outputs_that_a_caller_keeps_are_never_written_again(engine, monkeypatch):
    gpu = simulated_cuda.Gpu()
    simulated_cuda.install(monkeypatch, gpu)
    simulated_cuda.install_graphs(monkeypatch, gpu)
    session = TensorRTSession(engine)
    inputs = [tiles(1 + number % 2, number) for number in range(7)]
    kept = [session.run(small)[:, 1:] for small in inputs]  # views of views
    session.close()
    for small, large in zip(inputs, kept, strict=True):
        np.testing.assert_array_equal(large, enlarged(small)[:, 1:])


def test_an_output_that_nobody_keeps_is_used_again(engine, monkeypatch):
    gpu = simulated_cuda.Gpu()
    simulated_cuda.install(monkeypatch, gpu)
    simulated_cuda.install_graphs(monkeypatch, gpu)
    session = TensorRTSession(engine)
    places = {session.run(tiles(1)).__array_interface__["data"][0] for _ in range(9)}
    assert len(places) == 1


class Float32:
    """The same network on another backend, with a batch of its own."""

    backend, model, scale, tile, batch = "onnxruntime", "small", SCALE, TILE, 1
    closed = False

    def run(self, small):
        assert small.shape == (1, 3, TILE, TILE)
        return enlarged(small)

    def close(self):
        Float32.closed = True


@pytest.mark.parametrize("is_integrated", [False, True])
@pytest.mark.parametrize(("count", "broken"), [(5, 3), (2, 1), (1, 0)])
@pytest.mark.parametrize("has_graphs", [False, True])
def test_a_broken_tile_is_computed_again_and_counted(
    engine, monkeypatch, has_graphs, count, broken, is_integrated
):
    gpu = simulated_cuda.Gpu()
    gpu.is_integrated = is_integrated
    simulated_cuda.install(monkeypatch, gpu)
    if has_graphs:
        simulated_cuda.install_graphs(monkeypatch, gpu)
    small = tiles(count)
    small[broken, 0, 0, 0] = 0.5
    session = TensorRTSession(engine, repeat=Float32)
    np.testing.assert_array_equal(session.run(small), enlarged(small))
    assert session.repeated == 1
    np.testing.assert_array_equal(session.run(tiles(count)), enlarged(tiles(count)))
    assert session.repeated == 1
    session.close()
    assert Float32.closed


def test_a_broken_tile_without_another_backend_is_an_error_that_names_it(engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    small = tiles(5)
    small[3, 0, 0, 0] = 0.5
    with pytest.raises(EngineError, match=r"tile 3 has values that are not numbers"):
        TensorRTSession(engine).run(small)


@pytest.mark.parametrize(
    "said",
    [{"precision": "fp32"}, {"precision": "fp16", "layers": {"CaskConvolution": {"fp32": 2}}}],
    ids=["float32", "float32 in every layer of a half engine"],
)
def test_an_engine_in_float32_leaves_broken_tiles_to_the_picture(engine, monkeypatch, said):
    """Nothing could compute them better; each tile of a picture is looked at anyway."""
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    dataclasses.replace(EngineManifest.read(engine), **said).write(engine)
    small = tiles(5)
    small[3, 0, 0, 0] = 0.5
    session = TensorRTSession(engine, repeat=Float32)
    assert np.isnan(session.run(small)).any()
    assert session.repeated == 0
    with pytest.raises(ModelError, match="has values that are not numbers"):
        upscale(session, small[3].transpose(1, 2, 0))


@pytest.mark.parametrize(
    ("said", "may_overflow"),
    [
        ({}, True),
        ({"layers": {"CaskConvolution": {"fp32": 1}, "PluginV2": {"fp16": 1}}}, True),
        ({"layers": {"CaskConvolution": {"fp32": 2}, "NoOp": {"fp32": 1}}}, False),
        ({"layers": {"CaskConvolution": {"fp32": 2}}, "layers_from": "parsed network"}, True),
        ({"layers": {"CaskConvolution": {"fp32": 2}, "Myelin": {"fp32": 1}}}, True),
        ({"layers": {"CaskConvolution": {"fp32": 2}, "PluginV2": {"fp32": 1}}}, True),
        ({"layers": {"CaskConvolution": {"fp32": 2, "unknown": 1}}}, True),
        ({"layers": {}}, True),
        ({"precision": "fp32"}, False),
    ],
)
def test_what_an_engine_in_half_precision_may_do(engine, said, may_overflow):
    manifest = dataclasses.replace(EngineManifest.read(engine), **said)
    assert manifest.computes_in_half is may_overflow


def test_after_a_failed_launch_the_session_still_works(engine, monkeypatch):
    gpu = simulated_cuda.Gpu()
    simulated_cuda.install(monkeypatch, gpu)
    session = TensorRTSession(engine)
    gpu.fail_launch = True
    with pytest.raises(EngineError, match="could not launch"):
        session.run(tiles(4))
    assert gpu.depth == 0
    gpu.fail_launch = False
    np.testing.assert_array_equal(session.run(tiles(4)), enlarged(tiles(4)))


def test_tiles_of_another_size(engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    with pytest.raises(EngineError, match="takes tiles of 3x8x8, not 3x16x16"):
        TensorRTSession(engine).run(np.zeros((1, 3, 16, 16), np.float32))


def test_an_engine_that_tensorrt_does_not_take(engine, write_engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    write_engine(b"broken")
    with pytest.raises(EngineError, match="cannot load it") as error:
        TensorRTSession(engine)
    assert error.value.fix.startswith("edgesr build-engine -m small.onnx")


def test_an_engine_of_another_board_is_refused_before_anything_is_loaded(engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Thor", "11.0", "13.0"))
    with pytest.raises(EngineError, match=r"this GPU has 11\.0"):
        TensorRTSession(engine)


def test_without_pycuda(engine, monkeypatch):
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    for name in ("pycuda", "pycuda.driver", "pycuda.autoprimaryctx"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(MissingError, match="pycuda is not installed"):
        TensorRTSession(engine)
