"""What ships, built and run by the real TensorRT on a real GPU; ONNX Runtime says what is right.

Needs TensorRT for Python, pycuda and an NVIDIA GPU, for the student's plugin also nvcc and
TensorRT's headers. A build takes half a minute to two minutes on a server's GPU.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgesr import weights
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.engine import find

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("tensorrt") is None or find.first_gpu() is None,
        reason="needs TensorRT and an NVIDIA GPU",
    ),
    pytest.mark.timeout(600),
]
PHOTO = Path(__file__).parents[1] / "data" / "photo.png"
FILES = {"espcn": "espcn_x4.onnx", "student": "student_x4.onnx", "half": "student_x4_fp16.onnx"}


def run(home, *words):
    """Return exit code, output and errors of a command in a person's own folder."""
    command = [sys.executable, "-m", "edgesr", *map(str, words)]
    own = {**os.environ, "EDGESR_HOME": str(home)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=own)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A person's own folder, empty, for the tests of this file."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", params=FILES)
def built(request, home):
    """A network's file in ONNX, its engine, and what `build-engine` said of it."""
    onnx = Path(weights.__file__).parent / FILES[request.param]
    engine = home / f"{request.param}.engine"
    code, out, err = run(home, "build-engine", "-m", onnx, "--board", "gpu", "-o", engine, "--json")
    assert code == 0, err
    return onnx, engine, json.loads(out)


def test_an_engine_is_what_onnx_runtime_computes(built, home):
    onnx, engine, _ = built
    code, out, err = run(home, "verify", "-m", engine, "--against", onnx, "--json")
    assert code == 0, err
    assert json.loads(out)["psnr_db"] >= 50


def test_a_photo_through_an_engine_is_the_photo_through_onnx_runtime(built, home, tmp_path):
    onnx, engine, _ = built
    pictures = []
    for model in (engine, onnx):
        result = tmp_path / f"{model.suffix[1:]}.png"
        code, _, err = run(home, "upscale", PHOTO, "-m", model, "-o", result)
        assert code == 0, err
        pictures.append(cv2.imread(str(result)).astype(float))
    difference = np.abs(pictures[0] - pictures[1])
    assert difference.max() <= 4
    assert difference.mean() < 0.1


def test_the_plugin_makes_the_student_an_ordinary_network(built):
    onnx, engine, report = built
    manifest = EngineManifest.read(engine)
    count = sum(sum(kinds.values()) for kinds in manifest.layers.values())
    assert count <= 200
    if manifest.network == "student":
        assert sum(manifest.layers["PluginV2"].values()) >= 8
        assert report["tensorrt_module"] == "tensorrt"
    if onnx.name == FILES["half"]:
        assert sum(kinds.get("fp16", 0) for kinds in manifest.layers.values()) > count / 2


def test_an_engine_whose_plugin_is_gone_or_damaged_says_so_in_one_line(built, home, tmp_path):
    _, engine, _ = built
    if not EngineManifest.read(engine).plugin:
        pytest.skip("this network needs no plugin")
    kept = tmp_path / "plugins"
    shutil.copytree(home / "plugins", kept)
    try:
        for damage in ("damaged", "missing"):
            for library in (home / "plugins").rglob("*.so"):
                library.unlink()
                if damage == "damaged":
                    library.write_bytes(b"no library")
            code, out, err = run(home, "upscale", PHOTO, "-m", engine, "-o", tmp_path / "no.png")
            assert (code, out) == (1, ""), err
            assert err.startswith("error: ") and "build-engine" in err and "Traceback" not in err
            assert not (tmp_path / "no.png").exists()
    finally:
        shutil.rmtree(home / "plugins")
        shutil.copytree(kept, home / "plugins")
