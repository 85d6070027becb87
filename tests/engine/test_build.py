"""Real engines, built by TensorRT for RTX on a machine without a GPU."""

import dataclasses
import resource
import shlex
import subprocess
import sys

import pytest

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.boards.board import get_board
from edgesr.boards.device import board_of_gpu, read_device, resolve_board
from edgesr.boards.gpu import Gpu
from edgesr.engine.build import BuildRequest, build, check_machine, check_room
from edgesr.engine.builder import EngineBuilder
from edgesr.engine.layers import count_in
from edgesr.errors import ConfigError, EngineError
from edgesr.files import sha256

pytest.importorskip("tensorrt_rtx")
RTX = get_board("rtx")


def build_rtx(path, **options):
    return build(
        BuildRequest(path, RTX),
        read_device(path.parent),
        path.parent / "cache",
        path.with_suffix(".engine"),
        **options,
    )


@pytest.mark.parametrize(
    ("precision", "convolutions"),
    [("fp32", {"fp32": 2}), ("fp16", {"fp16": 2}), ("int8", {"fp16": 1, "int8": 1})],
)
def test_an_engine_and_its_manifest(small_onnx, precision, convolutions):
    steps = []
    onnx = small_onnx(precision=precision, batch=2)
    path, manifest = build_rtx(onnx, on_step=lambda *step: steps.append(step))
    assert path.stat().st_size > 100_000
    assert EngineManifest.read(path) == manifest
    assert manifest.engine_sha256 == sha256(path)
    assert manifest.onnx_sha256 == sha256(onnx)
    assert manifest.precision == precision
    assert manifest.layers["CONVOLUTION"] == convolutions
    named = manifest.fp32_layers
    assert len(named) == (0 if precision == "fp32" else count_in("fp32", manifest.layers))
    assert ("island" in named) == (precision != "fp32")
    assert not {"body", "head"} & set(named)
    assert manifest.inputs == {"lr": (2, 3, 16, 16)}
    assert manifest.outputs == {"hr": (2, 3, 64, 64)}
    assert manifest.attempts[-1].result == "built"
    assert "TF32" not in manifest.flags
    assert manifest.timing_cache == "unsupported"  # as TensorRT for RTX itself says
    assert manifest.build_s > 0 and manifest.parse_s > 0
    assert not manifest.no_plugin
    phases = {phase for phase, _, _ in steps}
    assert phases, "the builder reported no progress"
    assert all(0 <= done <= total for _, done, total in steps)


def test_ctrl_c_stops_the_build_and_leaves_nothing(small_onnx):
    path = small_onnx()

    def interrupt(phase, done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_rtx(path, on_step=interrupt)
    assert sorted(p.name for p in path.parent.iterdir()) == ["small.json", "small.onnx"]


def test_the_default_name_holds_what_tells_engines_apart(small_onnx, tmp_path, monkeypatch):
    path = small_onnx()
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path / "home"))
    engine, _ = build(BuildRequest(path, RTX), read_device(tmp_path), tmp_path / "cache")
    assert engine == tmp_path / "home/engines/small_x4_fp32_b1.rtx.engine"


def test_a_jetson_engine_is_not_built_on_a_pc(small_onnx, tmp_path):
    request = BuildRequest(small_onnx(), get_board("jetson-orin-nano-8gb"), "fp32")
    with pytest.raises(EngineError, match="built on the board itself") as error:
        check_machine(request, read_device(tmp_path))
    assert "edgesr build-engine -m small.onnx --board jetson-orin-nano --precision fp32" in (
        error.value.fix
    )


def test_nor_on_another_jetson(small_onnx, orin_nano):
    request = BuildRequest(
        small_onnx(), get_board("jetson-orin-nx"), batch=2, power_mode="10w", plugin=False
    )
    with pytest.raises(EngineError, match=r"this is a Jetson Orin Nano 8 GB, not a .*NX") as error:
        check_machine(request, read_device(orin_nano))
    assert error.value.fix.endswith("--board jetson-orin-nano-8gb --batch 2 --no-plugin")


def test_a_gpu_that_is_not_there_is_not_built_for(small_onnx, orin_nano, tmp_path):
    request = BuildRequest(small_onnx(), get_board("gpu"))
    nothing = dataclasses.replace(read_device(tmp_path), board=None)
    with pytest.raises(EngineError, match="shows no NVIDIA GPU") as error:
        check_machine(request, nothing)
    assert error.value.fix == "edgesr doctor"
    with pytest.raises(EngineError, match="this is a Jetson Orin Nano 8 GB") as error:
        check_machine(request, read_device(orin_nano))
    assert "--board jetson-orin-nano-8gb" in error.value.fix


@pytest.mark.parametrize("sources", [("JIT_CONVOLUTIONS",), ("JIT_CONVOLUTIONS", "CUDNN")])
def test_an_engine_for_the_gpu_at_hand_takes_kernels_from_its_boards_sources(
    small_onnx, tmp_path, monkeypatch, sources
):
    """This TensorRT builds for a GPU that is not there; a source it does not know is left out."""
    board = dataclasses.replace(
        board_of_gpu(Gpu("NVIDIA RTX A4000", "8.6", "13.0", 16376)), tactic_sources=sources
    )
    module = __import__("tensorrt_rtx")
    given = []
    configure = EngineBuilder._config

    def look(self, *arguments):
        config = configure(self, *arguments)
        given.append(config.get_tactic_sources())
        return config

    monkeypatch.setattr(EngineBuilder, "_config", look)
    board = dataclasses.replace(board, tensorrt_modules=("tensorrt_rtx",))
    device = dataclasses.replace(read_device(tmp_path), board=board)
    onnx = small_onnx()
    _, manifest = build(
        BuildRequest(onnx, board), device, tmp_path / "cache", tmp_path / "small.engine"
    )
    assert (manifest.board, manifest.compute_capabilities) == ("gpu", ("8.6",))
    assert given == [1 << int(module.TacticSource.JIT_CONVOLUTIONS)]


def test_another_power_mode_than_the_one_that_is_set(small_onnx, orin_nano):
    device = read_device(orin_nano)
    request = BuildRequest(small_onnx(), device.board, power_mode="maxn-super")
    check_machine(request, device)
    with pytest.raises(EngineError, match="in power mode MAXN_SUPER, not 15W") as error:
        check_machine(dataclasses.replace(request, power_mode="15w"), device)
    assert error.value.fix == "sudo nvpmodel -m 0"


def test_the_id_of_a_mode_is_the_devices_own(small_onnx, orin_nano):
    table = orin_nano / "etc/nvpmodel.conf"
    table.write_text(table.read_text().replace("ID=0 NAME=15W", "ID=7 NAME=15W"))
    device = read_device(orin_nano)
    request = BuildRequest(small_onnx(), device.board, power_mode="15w")
    with pytest.raises(EngineError) as error:
        check_machine(request, device)
    assert error.value.fix == "sudo nvpmodel -m 7"


def test_a_family_is_the_member_this_machine_is(orin_nano, tmp_path):
    assert resolve_board("jetson-orin-nano", None).name == "jetson-orin-nano-8gb"
    compatible = orin_nano / "proc/device-tree/compatible"
    compatible.write_text("nvidia,p3768-0000+p3767-0004\0")
    here = read_device(orin_nano).board
    assert resolve_board("jetson-orin-nano", here).name == "jetson-orin-nano-4gb"
    assert resolve_board(None, here) is here
    with pytest.raises(ConfigError, match="say for which board"):
        resolve_board(None, None)


def test_an_output_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(EngineError, match="cannot write here"):
        check_room(tmp_path / "file" / "x.engine")
    with pytest.raises(ConfigError, match="a folder stands"):
        check_room(tmp_path)


FULL_DISK = """
import resource, sys
from pathlib import Path
from edgesr.engine.build import BuildRequest, build
from edgesr.boards.board import get_board
from edgesr.boards.device import read_device
from edgesr.errors import EdgesrError

folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    build(BuildRequest(folder / "small.onnx", get_board("rtx")), read_device(folder), folder,
          folder / "small.engine")
except EdgesrError as error:
    print("error:", error)
"""


def test_a_file_that_cannot_grow_leaves_the_old_engine(small_onnx):
    """The system refuses to write more than 100 kB, as a full disk would."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    path = small_onnx()
    (path.parent / "small.engine").write_bytes(b"the engine of yesterday")
    before = sorted(p.name for p in path.parent.iterdir())
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path.parent)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "small.engine: cannot write (File too large)" in run.stdout
    assert sorted(p.name for p in path.parent.iterdir()) == before
    assert (path.parent / "small.engine").read_bytes() == b"the engine of yesterday"


def test_the_printed_command_is_one_that_a_shell_reads_back(tmp_path):
    model = tmp_path / "my model; it's.onnx"
    words = shlex.split(BuildRequest(model, get_board("jetson-orin-nx"), batch=2).command())
    assert words == [
        "edgesr", "build-engine", "-m", str(model), "--board", "jetson-orin-nx", "--batch", "2",
    ]  # fmt: skip
