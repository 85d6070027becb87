import dataclasses
import os

import pytest
import simulated_cuda

from edgesr.engine import find
from edgesr.engine.find import find_engine
from edgesr.engine.gpu import Gpu
from edgesr.files import sha256


@pytest.fixture
def make_engine(tmp_path, engine_manifest, monkeypatch):
    """Return a function that writes an engine of a small file, on a simulated Orin."""
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    onnx = tmp_path / "small.onnx"
    onnx.write_bytes(b"\x08")

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
    assert found.engine == path
    assert "built from small.onnx" in found.reason


def test_verified_before_newer(make_engine, tmp_path):
    onnx, make = make_engine
    make("new.engine", verification=None)
    old = make("old.engine", age_s=1000)
    assert find_engine(onnx, [tmp_path / "engines"]).engine == old


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
