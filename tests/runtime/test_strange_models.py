"""Every model or manifest that is not what it says gives one line, soon, and takes little."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

import strange_constants
import strange_functions
import strange_graphs
import strange_manifests
from model_parts import SCALE, TILE, good, put
from onnx import ModelProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from peak_memory import PEAK_KIB
from strange_constants import beside, multiplied
from strange_functions import calling, function, same
from strange_graphs import GROWING, averaging, multiplying, names_that_steer

from edgesr.artifacts.onnx_file import check_content
from edgesr.errors import EdgesrError, ModelError
from edgesr.runtime import time_limit
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
from edgesr.weights import FOLDER, shipped

KINDS = strange_graphs.KINDS | strange_manifests.KINDS | strange_functions.KINDS
KINDS |= strange_constants.KINDS
LIMIT_S, LIMIT_BYTES = 10.0, 1 << 30


def test_there_are_a_hundred_kinds() -> None:
    assert len(KINDS) >= 100


def test_what_is_not_strange_runs(tmp_path: Path) -> None:
    put(tmp_path, good())
    tile = np.random.default_rng(0).random((1, 3, TILE, TILE), np.float32)
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    np.testing.assert_array_equal(session.run(tile), tile.repeat(4, 2).repeat(4, 3))
    session.close()
    put(tmp_path, calling(function("F", [same()])))
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    np.testing.assert_array_equal(session.run(tile), tile.repeat(4, 2).repeat(4, 3))
    session.close()


@pytest.mark.parametrize("kind", KINDS)
def test_one_line(kind: str, tmp_path: Path) -> None:
    KINDS[kind](tmp_path)
    started = time.process_time()  # of all threads; other work on the machine does not count
    with pytest.raises(EdgesrError) as caught:
        session = OnnxRuntimeSession(tmp_path / "m.onnx")
        try:
            session.run(np.full((session.batch or 1, 3, TILE, TILE), 0.5, np.float32))
        finally:
            session.close()
    assert time.process_time() - started < LIMIT_S
    lines = str(caught.value).splitlines()
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  try: "))
    assert len(lines[0]) < 1000


def test_all_kinds_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    """The peak of one process that opens them all, as a command does."""
    folders = []
    for number, write in enumerate(KINDS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder)
        folders.append(str(folder / "m.onnx"))
    code = """
import json, sys
import numpy as np
from pathlib import Path
from edgesr.artifacts.onnx_file import check_content
from edgesr.errors import EdgesrError
from edgesr.runtime import time_limit
from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession
for path in json.load(sys.stdin):
    try:
        session = OnnxRuntimeSession(Path(path))
        session.run(np.zeros((session.batch or 1, 3, 16, 16), np.float32))
    except EdgesrError:
        pass
"""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print({PEAK_KIB})"],
        input=json.dumps(folders),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) * 1024 < LIMIT_BYTES


@pytest.mark.parametrize("kind", GROWING)
def test_memory_is_bounded_before_it_is_taken(kind: str, tmp_path: Path) -> None:
    put(tmp_path, GROWING[kind]().SerializeToString())
    session = None
    with pytest.raises(ModelError, match=r"more than the \d+ MiB"):
        session = OnnxRuntimeSession(tmp_path / "m.onnx")
        session.run(np.zeros((1, 3, TILE, TILE), np.float32))
    if session is not None:
        session.close()


@pytest.mark.parametrize("write", [lambda: multiplying(400, 1024), multiplied])
def test_a_call_that_goes_on_for_hours_is_stopped(
    write: Callable[[], ModelProto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a few kilobytes without a loop; each of its operators takes a tenth of a second.

    It is also stopped where all that is multiplied are constants, which a load would work out.
    """
    monkeypatch.setattr(time_limit, "_CALL_S", 0.5)
    put(tmp_path, write().SerializeToString())
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    tile = np.full((1, 3, TILE, TILE), 0.5, np.float32)
    started = time.process_time()
    # The half second is rounded to none, and to one where the machine is found to be slower.
    with pytest.raises(ModelError, match=r"more than the \d+ s of a processor"):
        session.run(tile)
    assert time.process_time() - started < LIMIT_S
    session.close()
    put(tmp_path, good())
    small = OnnxRuntimeSession(tmp_path / "m.onnx")
    small.run(tile)  # what is quick is not stopped, in the same process
    small.close()


def test_a_slow_machine_is_given_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulated board takes ten seconds for a tenth of a second of a PC: no fault of a file."""
    monkeypatch.setattr(time_limit, "_CALL_S", 0.5)
    monkeypatch.setattr(time_limit, "_VALUES_S", time_limit._VALUES_S / 1e5)
    put(tmp_path, multiplying(40, 1024).SerializeToString())
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    time_limit.slowness.cache_clear()
    try:
        started = time.process_time()
        session.run(np.full((1, 3, TILE, TILE), 0.5, np.float32))
        assert time.process_time() - started > 2 * 0.5
        assert time_limit.slowness() > 10
    finally:
        time_limit.slowness.cache_clear()
        session.close()


def test_every_session_has_its_own_bound(tmp_path: Path) -> None:
    """A small one after a large one, and the large one again."""
    put(tmp_path, good())
    student = OnnxRuntimeSession(shipped("student", SCALE, "onnx"), threads=1)
    small = OnnxRuntimeSession(tmp_path / "m.onnx", threads=1)
    tile = np.random.default_rng(0).random((1, 3, 64, 64), np.float32)
    first = student.run(tile)
    small.run(tile[:, :, :TILE, :TILE])
    np.testing.assert_array_equal(student.run(tile), first)
    for session in (small, student):
        session.close()


def test_nothing_is_logged_raw(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, names_that_steer().SerializeToString())
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    with pytest.raises(ModelError):
        session.run(np.zeros((1, 3, TILE, TILE), np.float32))
    session.close()
    assert capfd.readouterr().err == ""


def test_the_command_says_one_line(tmp_path: Path) -> None:
    put(tmp_path, averaging().SerializeToString(), batch=2)
    photo = Path(__file__).parents[1] / "data/photo.png"
    command = ["upscale", str(photo), "-m", "m.onnx", "-o", "x.png"]
    done = subprocess.run(
        [sys.executable, "-m", "edgesr", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "changes by" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x.png").exists()


def test_what_comes_with_edgesr_is_worked_out_at_once() -> None:
    """Else the student would be some six percent slower."""
    for path in sorted(FOLDER.glob("*.onnx")):
        constants = check_content(path.read_bytes(), path)
        assert constants.are_few, path.name


def test_constants_that_are_not_worked_out_at_once_are_right(tmp_path: Path) -> None:
    """Judged by ONNX's reference evaluator, with an operator that our reader cannot follow."""
    node = helper.make_node
    graph = beside(
        node("Range", ["start", "end", "step"], ["counted"]),
        node("Add", ["counted", "counted"], ["big"]),
        start=np.int64(5), end=np.int64(900), step=np.int64(2),
    )  # fmt: skip
    for changed in graph.graph.initializer:
        if changed.name == "nothing":
            changed.CopyFrom(numpy_helper.from_array(np.array(0.5, np.float32), "nothing"))
    content = graph.SerializeToString()
    put(tmp_path, content)
    assert not check_content(content, tmp_path / "m.onnx").are_few
    tile = np.random.default_rng(0).random((1, 3, TILE, TILE), np.float32)
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    (wanted,) = ReferenceEvaluator(graph).run(None, {"lr": tile})
    np.testing.assert_allclose(session.run(tile), wanted, rtol=1e-6)
    session.close()


def test_weights_that_another_quantiser_left_to_be_rounded_are_in_the_file(tmp_path: Path) -> None:
    """NVIDIA ModelOpt keeps float weights before QuantizeLinear and DequantizeLinear."""
    node, rng = helper.make_node, np.random.default_rng(0)
    weights = rng.normal(size=(3 * SCALE**2, 3, 9, 9)).astype(np.float32)
    constants = {"w": weights, "scale": np.float32(0.02), "zero": np.int8(0)}
    graph = helper.make_graph(
        [
            node("QuantizeLinear", ["w", "scale", "zero"], ["q"]),
            node("DequantizeLinear", ["q", "scale", "zero"], ["rounded"]),
            node("Conv", ["lr", "rounded"], ["y"], pads=[4] * 4),
            node("DepthToSpace", ["y"], ["hr"], blocksize=SCALE),
        ],
        "quantised",
        [helper.make_tensor_value_info("lr", 1, [1, 3, TILE, TILE])],
        [helper.make_tensor_value_info("hr", 1, [1, 3, SCALE * TILE, SCALE * TILE])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    put(tmp_path, model.SerializeToString())
    tile = rng.random((1, 3, TILE, TILE), np.float32)
    session = OnnxRuntimeSession(tmp_path / "m.onnx")
    (wanted,) = ReferenceEvaluator(model).run(None, {"lr": tile})
    np.testing.assert_allclose(session.run(tile), wanted, rtol=1e-4, atol=1e-5)
    session.close()
