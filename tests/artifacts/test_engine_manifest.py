import dataclasses
import json

import pytest

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.errors import EngineError
from edgesr.files import sha256

HERE = {"module": "tensorrt", "tensorrt": "10.3.0", "compute_capability": "8.7"}


@pytest.fixture
def engine(tmp_path, engine_manifest):
    path = tmp_path / "small.engine"
    path.write_bytes(b"engine" * 100)
    dataclasses.replace(engine_manifest, engine_sha256=sha256(path)).write(path)
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
    ],
)
def test_an_engine_of_another_machine_is_refused(engine, change, message):
    with pytest.raises(EngineError, match=message) as error:
        EngineManifest.read(engine).check(engine, **(HERE | change))
    assert error.value.fix == (
        f"edgesr build-engine -m small.onnx --board jetson-orin-nano-8gb --precision fp16 "
        f"--batch 1 -o {engine}"
    )


def test_without_any_gpu_rebuilding_would_not_help(engine):
    with pytest.raises(EngineError, match="no GPU here; it runs on the jetson") as error:
        EngineManifest.read(engine).check(engine, **(HERE | {"compute_capability": None}))
    assert error.value.fix == "this on the jetson-orin-nano-8gb, or --model small.onnx here"


def test_a_truncated_engine_is_refused(engine):
    engine.write_bytes(engine.read_bytes()[:100])
    with pytest.raises(EngineError, match="truncated or was changed"):
        EngineManifest.read(engine).check_content(engine, sha256(engine))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no manifest beside it"),
        ("{", "cannot be read"),
        ("[]", "not of format edgesr-engine/1"),
        ('{"format": "edgesr-onnx/1"}', "not of format edgesr-engine/1"),
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


def test_an_engine_without_plugins_is_built_again_without_them(engine_manifest, tmp_path):
    engine = tmp_path / "small.engine"
    assert "--no-plugin" not in engine_manifest.rebuild_command(engine)
    without = dataclasses.replace(engine_manifest, no_plugin=True)
    parts = without.rebuild_command(engine).split()
    assert parts[-3:] == ["--no-plugin", "-o", str(engine)]
    engine.write_bytes(b"plan")
    without.write(engine)
    assert without.read(engine) == without
    path = without.path_for(engine)
    fields = json.loads(path.read_text())
    del fields["no_plugin"], fields["parse_s"]  # as an earlier edgesr wrote it
    path.write_text(json.dumps(fields))
    assert without.read(engine) == dataclasses.replace(without, no_plugin=False, parse_s=None)
