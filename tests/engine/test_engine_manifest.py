import dataclasses

import pytest

from edgesr.engine.manifest import Attempt, EngineManifest, Verification
from edgesr.errors import EngineError
from edgesr.files import sha256

HERE = {"module": "tensorrt", "tensorrt": "10.3.0", "compute_capability": "8.7"}


@pytest.fixture
def engine(tmp_path):
    path = tmp_path / "small.engine"
    path.write_bytes(b"engine" * 100)
    EngineManifest(
        network="small",
        scale=4,
        tile=16,
        batch=1,
        precision="fp16",
        board="jetson-orin-nano-8gb",
        power_mode="25W",
        onnx_file="small.onnx",
        onnx_sha256="0" * 64,
        weights_sha256=None,
        engine_sha256=sha256(path),
        tensorrt_module="tensorrt",
        tensorrt="10.3.0",
        cuda="12.6.68",
        l4t="36.4.3",
        compute_capabilities=("8.7",),
        typing="strongly typed",
        layers={"CaskConvolution": {"fp16": 2}},
        layers_from="engine inspector",
        inputs={"lr": (1, 3, 16, 16)},
        outputs={"hr": (1, 3, 64, 64)},
        flags=("TF32",),
        attempts=(Attempt(1024, 3, "built"),),
        skipped_tactics=0,
        timing_cache="cold",
        build_s=1.5,
        peak_memory_mib=100,
        edgesr="0.1.0",
        verification=Verification(60.0, 0.001, 4, "patch 2", 58.0, "onnxruntime fp32"),
    ).write(path)
    return path


def test_what_is_written_is_read(engine):
    manifest = EngineManifest.read(engine)
    assert manifest.verification.worst_patch == "patch 2"
    manifest.write(engine)
    assert EngineManifest.read(engine) == manifest


def test_an_engine_that_fits_passes(engine):
    EngineManifest.read(engine).check(engine, **HERE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tensorrt": "10.16.2"}, r"built by tensorrt 10\.3\.0; here is tensorrt 10\.16\.2"),
        ({"module": "tensorrt_rtx"}, "here is tensorrt_rtx"),
        ({"compute_capability": "8.6"}, r"jetson-orin-nano-8gb.*8\.7; this GPU has 8\.6"),
        ({"compute_capability": None}, "no GPU"),
    ],
)
def test_an_engine_of_another_machine_is_refused(engine, change, message):
    with pytest.raises(EngineError, match=message) as error:
        EngineManifest.read(engine).check(engine, **(HERE | change))
    assert error.value.fix == (
        f"edgesr build-engine small.onnx --board jetson-orin-nano-8gb --precision fp16 "
        f"--batch 1 -o {engine}"
    )


def test_a_truncated_engine_is_refused(engine):
    engine.write_bytes(engine.read_bytes()[:100])
    with pytest.raises(EngineError, match="truncated or was changed"):
        EngineManifest.read(engine).check(engine, **HERE)


def test_an_engine_of_another_onnx_file_is_refused(engine, tmp_path):
    onnx = tmp_path / "other.onnx"
    onnx.write_bytes(b"\x08")
    manifest = EngineManifest.read(engine)
    with pytest.raises(EngineError, match=r"small\.onnx.*not from other\.onnx"):
        manifest.check_onnx(engine, onnx)
    dataclasses.replace(manifest, onnx_sha256=sha256(onnx)).check_onnx(engine, onnx)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no manifest beside it"),
        ("{", "cannot be read"),
        ("[]", "not a manifest"),
        ('{"format": "edgesr-onnx/1"}', "not a manifest"),
        ('{"format": "edgesr-engine/1"}', "cannot be read"),
    ],
)
def test_a_wrong_manifest_is_one_clear_error(engine, text, message):
    path = EngineManifest.path_for(engine)
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(EngineError, match=message):
        EngineManifest.read(engine)


def test_no_engine(tmp_path):
    with pytest.raises(EngineError, match="no such engine"):
        EngineManifest.read(tmp_path / "x.engine")
