import dataclasses
import os
import sys

import numpy as np
import pytest
import simulated_cuda

from edgesr.artifacts.engine_files import find_fp32_model
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import Parent
from edgesr.boards.gpu import Gpu
from edgesr.doctor import diagnose
from edgesr.engine import find
from edgesr.engine.find import find_engine
from edgesr.errors import MissingError
from edgesr.files import sha256
from edgesr.runtime.tensorrt_repeat import open_engine


@pytest.fixture
def make_engine(tmp_path, engine_manifest, onnx_manifest, monkeypatch):
    """Return a function that writes an engine of a small file, on a simulated Orin."""
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    onnx = tmp_path / "small.onnx"
    onnx.write_bytes(b"\x08")
    onnx_manifest(onnx, parent=Parent("small.safetensors", "5" * 64))

    def make(name, age_s=0, **changes):
        path = tmp_path / "engines" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        fields = {"onnx_sha256": sha256(onnx), "engine_sha256": sha256(path)} | changes
        dataclasses.replace(engine_manifest, **fields).write(path)
        stamp = 1_000_000_000 - age_s
        os.utime(path, (stamp, stamp))
        return path

    return onnx, make


def test_the_engine_of_this_file_and_board_is_found(make_engine, tmp_path):
    onnx, make = make_engine
    make("other.engine", onnx_sha256="1" * 64)
    path = make("mine.engine")
    (tmp_path / "engines" / "foreign.engine").write_bytes(b"no manifest")
    found = find_engine(onnx, [tmp_path / "engines", tmp_path / "absent"])
    assert (found.engine.path, found.engine.content) == (path, path.read_bytes())
    assert "built from small.onnx" in found.reason


def test_a_folder_that_cannot_be_read_is_told_and_passed_over(make_engine, tmp_path, caplog):
    onnx, make = make_engine
    path = make("mine.engine")
    unreadable = tmp_path / ("n" * 300)  # root may read any folder, but none of such a name
    assert find_engine(onnx, [unreadable, path.parent]).engine.path == path
    assert f"{unreadable}: cannot be read" in caplog.text
    (check,) = (check for check in diagnose(tmp_path, unreadable) if check.name == "engines")
    assert "cannot be read" in check.text


def test_verified_before_newer(make_engine, tmp_path):
    onnx, make = make_engine
    make("new.engine", verification=None)
    old = make("old.engine", age_s=1000)
    assert find_engine(onnx, [tmp_path / "engines"]).engine.path == old


def test_without_the_tensorrt_that_built_it(make_engine, monkeypatch):
    _, make = make_engine
    engine = make("a.engine")
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingError, match=r"built for jetson-orin-nano-8gb, by tensorrt 10\.3"):
        find.read_engine(engine)


def test_why_not_in_one_line(make_engine, tmp_path):
    onnx, make = make_engine
    folders = [tmp_path / "engines"]
    assert find_engine(onnx, folders).reason == "no engine here was built from small.onnx"
    make("rtx.engine", compute_capabilities=("8.6",))
    make("old.engine", tensorrt="8.6.2")
    found = find_engine(onnx, folders)
    assert found.engine is None
    assert "\n" not in found.reason
    assert "rtx.engine: it was built for jetson-orin-nano-8gb, compute capability 8.6" in (
        found.reason
    )
    assert "old.engine: it was built by tensorrt 8.6.2" in found.reason


def test_another_export_of_the_same_weights_counts_only_where_asked(make_engine, tmp_path):
    onnx, make = make_engine
    folders = [tmp_path / "engines"]
    half = make("half.engine", onnx_sha256="1" * 64, weights_sha256="5" * 64)
    assert find_engine(onnx, folders).engine is None
    assert find_engine(onnx, folders, same_weights=True).engine.path == half
    make("foreign.engine", onnx_sha256="1" * 64, weights_sha256="6" * 64)
    half.unlink()
    assert find_engine(onnx, folders, same_weights=True).engine is None


def test_broken_tiles_are_repeated_by_the_fp32_file_of_the_same_weights(
    make_engine, small_onnx, onnx_manifest, tmp_path
):
    _, make = make_engine
    engine = make("half.engine", onnx_sha256="1" * 64, weights_sha256="7" * 64)
    manifest = EngineManifest.read(engine)
    parent = Parent("small.safetensors", "7" * 64)
    assert find_fp32_model(manifest, [tmp_path]) is None
    for name, precision, fields in (
        ("a.onnx", "fp32", {"parent": None}),
        ("b.onnx", "fp16", {"parent": parent, "precision": "fp16"}),
        ("c.onnx", "fp32", {"parent": parent, "tile": 32}),
        ("d.onnx", "fp32", {"parent": parent}),
    ):
        onnx_manifest(small_onnx(name, precision=precision), **fields)
    assert find_fp32_model(manifest, [tmp_path / "absent", tmp_path]).name == "d.onnx"


def test_an_engine_opened_with_its_repeat(make_engine, small_onnx, onnx_manifest, tmp_path):
    _, make = make_engine
    engine = make(
        "half.engine",
        weights_sha256="7" * 64,
        tile=8,
        batch=2,
        inputs={"lr": (2, 3, 8, 8)},
        outputs={"hr": (2, 3, 32, 32)},
    )
    onnx = small_onnx("full.onnx", tile=8)
    onnx_manifest(onnx, tile=8, parent=Parent("small.safetensors", "7" * 64))
    for file in (onnx, onnx.with_suffix(".json")):
        file.rename(engine.parent / file.name)
    session = open_engine(engine)
    tiles = np.full((1, 3, 8, 8), 0.5, np.float32)  # what the simulated GPU turns into NaN
    assert np.isfinite(session.run(tiles)).all()
    assert session.repeated == 1
    session.close()
