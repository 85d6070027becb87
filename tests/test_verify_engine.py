import dataclasses

import numpy as np
import pytest

from edgesr.artifacts.onnx_manifest import OnnxManifest, Parent
from edgesr.errors import EngineError
from edgesr.imaging.patches import NAMES, real_tiles
from edgesr.imaging.psnr import IDENTICAL_DB
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.verify import check_same_network, compare_with_engine


@pytest.fixture
def patches():
    return dict(zip(NAMES, real_tiles(16), strict=True))


def test_half_precision_is_close_and_the_worst_patch_is_named(small_onnx, patches):
    reference = OnnxRuntimeSession(small_onnx("a.onnx"))
    half = OnnxRuntimeSession(small_onnx("b.onnx", precision="fp16", batch=2))
    result = compare_with_engine(reference, half, patches)
    assert 50 < result.psnr_db < 100
    errors = {
        name: np.mean((reference.run(patch[None])[0] - half.run(np.stack([patch] * 2))[0]) ** 2)
        for name, patch in patches.items()
    }
    assert result.worst_patch == max(errors, key=errors.get)
    assert result.worst_psnr_db <= result.psnr_db
    assert result.psnr_db == pytest.approx(-10 * np.log10(np.mean(list(errors.values()))), abs=0.01)
    assert 0 < result.max_abs_difference < 0.01
    assert result.patches == len(NAMES)


def test_the_same_network_differs_nowhere(small_onnx, patches):
    session = OnnxRuntimeSession(small_onnx())
    result = compare_with_engine(session, session, patches)
    assert (result.psnr_db, result.max_abs_difference) == (IDENTICAL_DB, 0)


def test_other_weights_are_far_off(small_onnx, patches):
    one, other = (OnnxRuntimeSession(small_onnx(f"{i}.onnx", seed=i)) for i in range(2))
    assert compare_with_engine(one, other, patches).psnr_db < 45


def test_values_that_are_not_finite_are_an_error(small_onnx, patches):
    session = OnnxRuntimeSession(small_onnx())
    patches["broken"] = np.full((3, 16, 16), np.nan, np.float32)
    with pytest.raises(EngineError, match="broken holds values that are not finite"):
        compare_with_engine(session, session, patches)


def test_another_scale_is_not_compared(small_onnx, patches):
    one, other = (OnnxRuntimeSession(small_onnx(f"{i}.onnx", scale=i)) for i in (2, 4))
    with pytest.raises(EngineError, match="small x2 for tiles of 16, the engine is small x4"):
        compare_with_engine(one, other, patches)


def test_what_an_engine_may_be_compared_with(small_onnx, engine_manifest, tmp_path):
    fp32, fp16 = small_onnx("a.onnx"), small_onnx("b.onnx", precision="fp16")
    engine = tmp_path / "x.engine"
    weights = Parent("small.safetensors", "1" * 64)
    own = OnnxManifest.read(fp16)
    built = dataclasses.replace(
        engine_manifest, onnx_sha256=own.onnx_sha256, weights_sha256=weights.sha256
    )
    check_same_network(built, engine, own, fp16)
    other = dataclasses.replace(OnnxManifest.read(fp32), parent=weights)
    check_same_network(built, engine, other, fp32)
    for change in ({"parent": None}, {"tile": 32}, {"parent": Parent("x", "2" * 64)}):
        with pytest.raises(EngineError, match=r"built from small\.onnx.*a\.onnx is another"):
            check_same_network(built, engine, dataclasses.replace(other, **change), fp32)
