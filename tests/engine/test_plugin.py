"""The scan's TensorRT plugin: compiled by the real nvcc, kept, loaded, refused.

The compiler is real wherever it must succeed; small scripts stand in for compilers that fail. The
headers are a stand-in that declares what the plugin touches of TensorRT 8.5, wherever this runs; a
test of its own compiles with the headers of an installed TensorRT, and skips where there are none.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgesr.artifacts.home import plugins
from edgesr.artifacts.plugin import Plugin, load_library, source_sha256
from edgesr.boards.gpu import Gpu
from edgesr.cli import main
from edgesr.engine import build, nvcc, plugin_build
from edgesr.engine.nvcc import (
    USUAL_NVCC,
    Nvcc,
    find_headers,
    find_nvcc,
    first_error,
    header_version,
)
from edgesr.engine.plugin_build import choose_plugin, compiled, needs_plugin
from edgesr.engine.plugin_nodes import MIXER, NORM, WEIGHTS
from edgesr.engine.stack import Stack, Typing
from edgesr.errors import ConfigError, EngineError
from edgesr.files import sha256

STAND_IN = Path(__file__).parent / "stand_in_tensorrt"
TENSORRT = "8.5.3.1"
ORIN = Gpu("Orin", "8.7", "99.0")
STACK = Stack(None, "tensorrt", TENSORRT, Typing.WEAK)
WITHOUT = "edgesr build-engine -m student.onnx --board gpu --no-plugin"


def quiet(phase, done, total):
    """Take the builder's progress and show nothing."""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The plugin for an Orin, compiled by the real nvcc: its folder, compiler, record, steps."""
    compiler = find_nvcc(WITHOUT)
    if compiler is None:
        pytest.skip("there is no nvcc")
    folder = tmp_path_factory.mktemp("cache") / "edgesr" / "plugins"
    steps = []
    plugin = compiled(
        compiler, STAND_IN, TENSORRT, "8.7", folder, WITHOUT, lambda *step: steps.append(step)
    )
    return folder, compiler, plugin, steps


@pytest.fixture
def cache(tmp_path, real, monkeypatch):
    """A user's cache folder that holds the compiled plugin: (folder of plugins, the plugin)."""
    folder, _, plugin, _ = real
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path))
    shutil.copytree(folder, plugins())
    return plugins(), plugin


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Return a function that puts a stand-in `nvcc` with this body on PATH."""

    def write(body):
        path = tmp_path / "bin" / "nvcc"
        path.parent.mkdir(exist_ok=True)
        version = 'if [ "$1" = --version ]; then echo "release 12.6, V12.6.68"; exit 0; fi'
        path.write_text(f"#!/bin/sh\n{version}\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
        monkeypatch.setenv("EDGESR_TENSORRT_INCLUDE", str(STAND_IN))
        return path

    return write


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


def test_it_is_compiled_once_and_recorded(real):
    folder, compiler, plugin, steps = real
    library = folder / plugin.file
    assert [(done, total) for _, done, total in steps] == [(0, 1), (1, 1)]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [plugin.file, library.with_suffix(".json").name]
    )
    assert plugin == Plugin(
        library.name, sha256(library), source_sha256(), TENSORRT, "8.7", compiler.version
    )
    steps.clear()
    again = compiled(
        compiler, STAND_IN, TENSORRT, "8.7", folder, WITHOUT, lambda *step: steps.append(step)
    )
    assert again == plugin
    assert not steps, "it was compiled a second time"


def test_the_headers_of_an_installed_tensorrt_take_it_too(real, tmp_path):
    folders = (Path(folder) for folder in nvcc.HEADER_FOLDERS)
    found = next((f for f in folders if header_version(f) is not None), None)
    if found is None:
        pytest.skip("TensorRT's headers are not installed")
    version = ".".join(map(str, header_version(found)))
    plugin = compiled(real[1], found, version, "8.7", tmp_path, WITHOUT, quiet)
    assert (plugin.tensorrt, sha256(tmp_path / plugin.file)) == (version, plugin.sha256)


def test_the_library_holds_code_for_that_gpu_only(real):
    folder, compiler, plugin, _ = real
    tools = (path.with_name("cuobjdump") for path in (compiler.path, USUAL_NVCC))
    tool = next(filter(Path.is_file, tools), None)
    if tool is None:
        pytest.skip("there is no cuobjdump")
    listed = subprocess.run(
        [tool, "--list-elf", folder / plugin.file], capture_output=True, text=True, check=True
    ).stdout
    assert "sm_87" in listed
    assert all("sm_87" in line for line in listed.splitlines() if "ELF" in line)


@pytest.fixture(scope="module")
def answers(real, tmp_path_factory):
    """What a registry as libnvinfer has one says of the loaded plugins, in a process of its own."""
    folder, compiler, plugin, _ = real
    library = tmp_path_factory.mktemp("tensorrt") / "libnvinfer.so.8"
    named = ["-Xlinker=-soname,libnvinfer.so.8", "-Xcompiler=-fPIC", "-shared"]
    subprocess.run([compiler.path, *named, STAND_IN / "libnvinfer.cpp", "-o", library], check=True)
    program = f"""
import ctypes, json
from pathlib import Path
from edgesr.artifacts.plugin import load_library
tensorrt = ctypes.CDLL({str(library)!r})
for name in ("registered", "fields"):
    getattr(tensorrt, name).restype = ctypes.c_char_p
for _ in range(2):
    load_library(Path({str(folder / plugin.file)!r}), {plugin.source_sha256!r}, "")
path = lambda *numbers: (ctypes.c_int * 4)(*numbers)
good, kinds = path(64, 48, 1, 0), (b"MambaMixer", b"TokenNorm")
made = lambda kind, given=good, short=b"", absent=b"": tensorrt.is_made(kind, given, short, absent)
fields = {{kind.decode(): tensorrt.fields(kind).decode().split(",") for kind in kinds}}
combinations = [(3, 0), (3, 8), (4, 0), (4, 2), (4, 8)]
print(json.dumps({{
    "registered": tensorrt.registered().decode().split(","),
    "fields": fields,
    "round_trips": [tensorrt.round_trip(kind, good) for kind in kinds],
    "no_height": made(kinds[0], path(0, 48, 1, 0)),
    "too_long": made(kinds[0], path(1024, 1024, 0, 0)),
    "short": [made(k, short=f.encode()) for k in kinds for f in fields[k.decode()][-2:]],
    "absent": [made(k, absent=f.encode()) for k in kinds for f in fields[k.decode()]],
    "takes": [[tensorrt.takes(kinds[1], axes, 8, kind, form) for axes, form in combinations]
              for kind in (0, 1)],
    "odd_channels": tensorrt.takes(kinds[1], 4, 12, 1, 2),
    "channels": [tensorrt.output_channels(k, axes, 16) for k in kinds for axes in (3, 4)],
}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_tensorrt_knows_the_plugins_after_loading_and_they_survive_being_written(answers):
    assert answers["registered"] == [MIXER, NORM]
    assert answers["round_trips"] == [1, 1]


def test_the_plugins_ask_for_what_the_prepared_nodes_have(answers):
    path = ["height", "width", "columns", "reverse"]
    assert answers["fields"] == {MIXER: [*path, *WEIGHTS], NORM: ["epsilon", "weight", "bias"]}


def test_fields_that_are_missing_or_do_not_fit_make_no_plugin(answers):
    assert answers["no_height"] == answers["too_long"] == 0
    assert answers["short"] == [0] * 4
    assert answers["absent"] == [0] * 14


def test_tokens_are_linear_and_images_have_their_channels_last(answers):
    """Of (tokens linear, tokens last, images linear, images packed by eight, images last)."""
    single, half = answers["takes"]
    assert single == [1, 0, 0, 0, 1]
    assert half == [1, 0, 0, 1, 0]
    assert answers["odd_channels"] == 0
    assert answers["channels"] == [8, 8, 8, 8]


def test_without_tensorrt_in_the_process_loading_says_so(cache):
    folder, plugin = cache
    with pytest.raises(EngineError, match="not loaded in this process"):
        load_library(folder / plugin.file, plugin.source_sha256, WITHOUT)


def test_a_library_that_is_no_plugin_or_of_other_sources_is_not_taken(cache, tmp_path):
    folder, plugin = cache
    with pytest.raises(EngineError, match="another edgesr"):
        load_library(folder / plugin.file, "0" * 64, WITHOUT)
    text = tmp_path / "text.so"
    text.write_text("not a library")
    with pytest.raises(EngineError, match="cannot be loaded") as caught:
        load_library(text, plugin.source_sha256, WITHOUT)
    assert len(str(caught.value).splitlines()) == 2  # the fault and the command


def test_a_damaged_library_is_refused_by_engines_and_compiled_again(cache, script, real):
    folder, plugin = cache
    library = folder / plugin.file
    whole = library.read_bytes()
    library.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineError, match="damaged") as caught:
        plugin.check(
            tensorrt=TENSORRT, compute_capability="8.7", where=Path("x.engine"), fix="again"
        )
    assert caught.value.fix == "again"
    undamaged = real[0] / plugin.file
    path = script(f'while [ "$1" != -o ]; do shift; done; cp {undamaged} "$2"')
    again = compiled(Nvcc(path, plugin.nvcc), STAND_IN, TENSORRT, "8.7", folder, WITHOUT, quiet)
    assert again == plugin
    assert library.read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source_sha256": "0" * 64}, "another edgesr"),
        ({"tensorrt": "10.3.0"}, "TensorRT 10.3.0; here is 8.5.3.1"),
        ({"compute_capability": "8.6"}, "compute capability 8.6; this GPU has 8.7"),
        ({"file": "mixer-other.so"}, "not here"),
        ({"sha256": "0" * 64}, "damaged or was changed"),
    ],
)
def test_an_engine_is_refused_whose_plugin_is_not_this_one(
    cache, engine_manifest, tmp_path, change, said
):
    engine = tmp_path / "small.engine"
    engine.write_bytes(b"plan")
    manifest = dataclasses.replace(
        engine_manifest, engine_sha256=sha256(engine), tensorrt=TENSORRT, plugin=cache[1]
    )
    here = {"module": "tensorrt", "tensorrt": TENSORRT, "compute_capability": "8.7"}
    manifest.write(engine)
    assert manifest.read(engine) == manifest
    manifest.check(engine, **here)
    wrong = dataclasses.replace(manifest, plugin=dataclasses.replace(cache[1], **change))
    with pytest.raises(EngineError, match=said) as caught:
        wrong.check(engine, **here)
    assert len(str(caught.value).splitlines()) == 2
    assert "build-engine" in caught.value.fix


def test_a_manifest_of_before_plugins_can_be_read(engine_manifest, tmp_path):
    engine = tmp_path / "small.engine"
    engine.write_bytes(b"plan")
    engine_manifest.write(engine)
    path = engine_manifest.path_for(engine)
    fields = json.loads(path.read_text())
    del fields["plugin"]
    path.write_text(json.dumps(fields))
    assert engine_manifest.read(engine) == engine_manifest


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


def test_a_gpu_that_the_real_compiler_does_not_know(tmp_path, real):
    folder = tmp_path / "plugins"
    with pytest.raises(EngineError, match="nvcc failed: nvcc fatal"):
        compiled(real[1], STAND_IN, TENSORRT, "1.0", folder, WITHOUT, quiet)
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


def test_two_processes_that_need_the_plugin_keep_one_library(real, tmp_path):
    """The second waits for the first and takes what it compiled."""
    folder, compiler, plugin, _ = real
    empty = tmp_path / "plugins"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from edgesr.artifacts.file_set import locked\n"
        "with locked(Path(sys.argv[1]).parent):\n"
        "    print('held', flush=True); time.sleep(2)\n"
        "    for name in sys.argv[2:]: Path(sys.argv[1]).with_suffix(Path(name).suffix)"
        ".write_bytes(Path(name).read_bytes())"
    )
    empty.mkdir()
    library = empty / plugin.file
    made = [str((folder / plugin.file).with_suffix(end)) for end in (".so", ".json")]
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(library), *made], stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout.readline() == b"held\n"
        got = compiled(compiler, STAND_IN, TENSORRT, "8.7", empty, WITHOUT, quiet)
    assert got == plugin
