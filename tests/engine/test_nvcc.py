"""The way to a compiled plugin where it ends early: no compiler, a failing one, headers, folders.

Small scripts stand in for compilers that fail.
"""

import dataclasses
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from plugin_parts import STAND_IN, TENSORRT, WITHOUT, quiet

from edgesr.artifacts.home import plugins
from edgesr.artifacts.plugin import source_sha256
from edgesr.boards.gpu import Gpu
from edgesr.cli import main
from edgesr.engine import build, nvcc, plugin_build
from edgesr.engine.nvcc import (
    Nvcc,
    find_headers,
    find_nvcc,
    first_error,
    header_version,
)
from edgesr.engine.plugin_build import choose_plugin, compiled, needs_plugin
from edgesr.engine.stack import Stack, Typing
from edgesr.errors import ConfigError, EngineError

ORIN = Gpu("Orin", "8.7", "99.0")
STACK = Stack(None, "tensorrt", TENSORRT, Typing.WEAK)


@pytest.fixture
def no_compiler(tmp_path, monkeypatch):
    """A machine without nvcc."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nvcc, "USUAL_NVCC", tmp_path / "nvcc")


def test_the_command_names_everything_that_the_library_depends_on():
    command = Nvcc(Path("/cuda/bin/nvcc"), "12.6.68").command(
        Path("/src/plugin.cu"), Path("/usr/include"), Path("/out/m.so"), "8.7", "ab12"
    )
    assert command[0] == "/cuda/bin/nvcc"
    assert command[-3:] == ["-o", "/out/m.so", "/src/plugin.cu"]
    assert {"-arch=sm_87", "-I/usr/include", '-DEDGESR_PLUGIN_VERSION="ab12"'} <= set(command)


def test_a_compiler_that_fails_is_quoted_and_leaves_nothing(tmp_path, script):
    path = script(
        'echo "a.cu(1): warning #20012-D: no matter" >&2\n'
        'echo "a.cu(7): error: identifier \\"x\\" is undefined" >&2; exit 2'
    )
    folder = tmp_path / "plugins"
    with pytest.raises(EngineError, match='identifier "x" is undefined') as caught:
        compiled(Nvcc(path, "12.6.68"), STAND_IN, TENSORRT, "8.7", folder, WITHOUT, quiet)
    assert caught.value.fix == WITHOUT
    assert list(folder.iterdir()) == []


def test_a_compiler_that_does_not_run(script):
    path = script("exit 0")
    path.write_text("#!/bin/sh\necho cannot find libcudart >&2; exit 1\n")
    with pytest.raises(EngineError, match="cannot find libcudart"):
        find_nvcc(WITHOUT)


def test_a_file_in_the_place_of_the_folder(tmp_path, script):
    path = script("exit 0")
    folder = tmp_path / "plugins"
    folder.write_text("mine")
    with pytest.raises(ConfigError, match="cannot be made a folder"):
        compiled(Nvcc(path, "12.6.68"), STAND_IN, TENSORRT, "8.7", folder, WITHOUT, quiet)
    assert folder.read_text() == "mine"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_that_may_not_be_written_ends_the_build_before_it_compiles(
    tmp_path, script, monkeypatch, is_there
):
    """As it is for a user: root, who may write anywhere, is nobody for a moment."""
    path = script(f"touch {tmp_path}/compiled; exit 1")
    owner = tmp_path / "home" / "plugins" if is_there else tmp_path / "home"
    owner.mkdir(parents=True)
    owner.chmod(0o555)
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path / "home"))
    anybodys = tmp_path / "temporary"
    anybodys.mkdir()
    anybodys.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(anybodys))
    before = sorted(tmp_path.rglob("*"))
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_mode & 0o011 != 0o011:
                folder.chmod(folder.stat().st_mode | 0o011)
        os.seteuid(65534)
    try:
        with pytest.raises(ConfigError, match="Permission denied") as caught:
            compiled(Nvcc(path, "12.6.68"), STAND_IN, TENSORRT, "8.7", plugins(), WITHOUT, quiet)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
    assert str(caught.value.where).startswith(str(plugins()))
    assert caught.value.fix.startswith("EDGESR_HOME=FOLDER")
    assert caught.value.fix.endswith(WITHOUT)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_missing_is_one_line_with_its_remedy_and_its_cost(tmp_path, no_compiler):
    for stack, gpu, said in (
        (dataclasses.replace(STACK, name="tensorrt_rtx"), ORIN, "takes no plugins"),
        (STACK, None, "no GPU"),
        (STACK, ORIN, "no nvcc"),
    ):
        plugin, reason = choose_plugin(stack, gpu, tmp_path / "plugins", WITHOUT, quiet)
        assert plugin is None
        assert said in reason
        assert "longer" in reason
        assert "\n" not in reason
    assert not (tmp_path / "plugins").exists()


def test_a_compiler_newer_than_the_driver(tmp_path, script):
    script("exit 1")
    plugin, reason = choose_plugin(
        STACK, dataclasses.replace(ORIN, driver_cuda="11.8"), tmp_path, WITHOUT, quiet
    )
    assert plugin is None
    assert "newer than the driver" in reason


def test_headers_are_looked_for_and_must_fit(tmp_path, script, monkeypatch):
    script("exit 1")
    monkeypatch.delenv("EDGESR_TENSORRT_INCLUDE")
    monkeypatch.setattr(nvcc, "HEADER_FOLDERS", (str(tmp_path / "none"),))
    plugin, reason = choose_plugin(STACK, ORIN, tmp_path, WITHOUT, quiet)
    assert plugin is None
    assert "libnvinfer-dev" in reason
    assert "EDGESR_TENSORRT_INCLUDE" in reason
    monkeypatch.setattr(nvcc, "HEADER_FOLDERS", (str(tmp_path / "none"), str(STAND_IN)))
    assert find_headers("8.6.1.6") == STAND_IN  # older headers of the same major release
    assert find_headers("8.5.2.2") is None  # newer than the library
    assert find_headers("10.3.0") is None
    monkeypatch.setenv("EDGESR_TENSORRT_INCLUDE", str(tmp_path))
    with pytest.raises(ConfigError, match="holds no NvInfer"):
        find_headers(TENSORRT)
    monkeypatch.setenv("EDGESR_TENSORRT_INCLUDE", str(STAND_IN))
    with pytest.raises(ConfigError, match=r"headers of 8\.5\.3; here is TensorRT 10\.3\.0"):
        find_headers("10.3.0")


def test_the_version_as_newer_headers_state_it(tmp_path):
    (tmp_path / "NvInferVersion.h").write_text(
        "#define TRT_MAJOR_ENTERPRISE 11\n#define TRT_MINOR_ENTERPRISE 1\n"
        "#define TRT_PATCH_ENTERPRISE 0\n#define NV_TENSORRT_MAJOR TRT_MAJOR_ENTERPRISE\n"
    )
    assert header_version(tmp_path) == (11, 1, 0)


def test_the_first_error_of_a_compiler():
    assert first_error("note\nx.cu(1): error: no\nx.cu(2): error: more") == "x.cu(1): error: no"
    assert first_error("killed\n") == "killed"
    assert first_error("") == "it printed nothing"


def test_build_engine_ends_with_one_line_when_the_compiler_fails(
    tmp_path, script, monkeypatch, capsys
):
    pytest.importorskip("onnx")
    script('echo "ptxas fatal : out of luck" >&2; exit 1')
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(build, "find_stack", lambda modules: STACK)
    monkeypatch.setattr(plugin_build, "first_gpu", lambda: ORIN)
    onnx, output = tmp_path / "student.onnx", tmp_path / "student.engine"
    onnx.write_bytes(b"\x08\x08 MambaMixer edgesr")
    assert needs_plugin(onnx.read_bytes())
    with pytest.raises(SystemExit) as stop:
        main(["build-engine", "-m", str(onnx), "--board", "rtx", "-o", str(output)])
    assert stop.value.code == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].endswith("nvcc failed: ptxas fatal : out of luck")
    assert said[1] == f"  try: edgesr build-engine -m {onnx} --board rtx --no-plugin"
    assert not output.exists()
    assert not list((tmp_path / "home").rglob("*.*"))


def test_the_sources_are_read_where_there_is_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from edgesr.engine.plugin_build import source_sha256; print(source_sha256())"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == source_sha256()
