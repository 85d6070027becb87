import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import ConfigError, ModelError
from edgesr.runtime.select import BACKENDS, open_session

Maker = Callable[..., Path]


def test_a_file_runs_in_onnx_runtime(make_nearest: Maker) -> None:
    session = open_session(str(make_nearest(scale=2)), threads=1)
    assert (session.backend, session.model, session.scale) == ("onnxruntime", "nearest", 2)
    assert (session.tile, session.batch) == (16, None)
    tiles = np.random.default_rng(0).random((3, 3, 16, 16), np.float32)
    enlarged = session.run(tiles)
    np.testing.assert_array_equal(enlarged, tiles.repeat(2, axis=2).repeat(2, axis=3))
    session.close()


def test_a_name_without_a_file_runs_in_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr("edgesr.weights.FOLDER", tmp_path)
    session = open_session("bicubic", scale=3, threads=1)
    assert (session.backend, session.scale) == ("torch", 3)
    assert session.run(np.zeros((1, 3, 5, 7), np.float32)).shape == (1, 3, 15, 21)


def test_the_scale_of_a_file_is_its_own(make_nearest: Maker) -> None:
    with pytest.raises(ConfigError, match="enlarges 2 times, not 4") as error:
        open_session(str(make_nearest(scale=2)), scale=4)
    assert error.value.as_options().fix == "--scale 2"


def test_unknown_backends_list_the_known() -> None:
    with pytest.raises(ConfigError, match="'cuda'; there are auto, tensorrt, onnxruntime, torch"):
        open_session("student", backend="cuda")
    names = [backend.name for backend in BACKENDS]
    assert len(set(names)) == len(names)


def test_torch_takes_no_files(make_nearest: Maker) -> None:
    with pytest.raises(ConfigError, match="by name, not files"):
        open_session(str(make_nearest()), backend="torch")


def test_a_name_that_is_not_shipped_lists_what_is() -> None:
    with pytest.raises(ModelError, match="no onnx file of 'nothing'"):
        open_session("nothing", backend="onnxruntime")


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "the file is empty"), (b"Dear diary", "not an ONNX file")]
)
def test_other_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as error:
        open_session(str(path))
    assert error.value.fix


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        open_session(str(tmp_path / "model.onnx"))
    with pytest.raises(ModelError, match="Is a directory"):
        open_session(f"{tmp_path}/")


def test_the_file_of_another_network_is_refused(make_nearest: Maker) -> None:
    """A manifest names its file by its content, so a swapped file is never run."""
    two, four = make_nearest(scale=2), make_nearest(scale=4)
    two.write_bytes(four.read_bytes())
    with pytest.raises(ModelError, match="SHA-256 differs"):
        open_session(str(two))


def test_a_broken_graph_is_our_error(make_nearest: Maker) -> None:
    path = make_nearest()
    manifest = OnnxManifest.read(path)
    path.write_bytes(path.read_bytes()[:60])
    from dataclasses import replace

    from edgesr.files import sha256

    replace(manifest, onnx_sha256=sha256(path)).write(path)
    with pytest.raises(ModelError, match="not an ONNX file"):
        open_session(str(path))


def test_onnx_runtime_needs_no_torch(make_nearest: Maker) -> None:
    code = (
        "import sys\n"
        "from edgesr.runtime.select import open_session\n"
        f"open_session({str(make_nearest())!r})\n"
        "print('torch' in sys.modules, 'onnx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
