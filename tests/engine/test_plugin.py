"""The scan's TensorRT plugin: compiled by the real nvcc, kept, loaded, refused.

The compiler is real. The headers are a stand-in that declares what the plugin touches of TensorRT
8.5, wherever this runs; a test of its own compiles with the headers of an installed TensorRT, and
skips where there are none.
"""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from plugin_parts import STAND_IN, TENSORRT, WITHOUT, quiet

from edgesr.artifacts.home import plugins
from edgesr.artifacts.plugin import Plugin, load_library, source_sha256
from edgesr.engine import nvcc
from edgesr.engine.nvcc import (
    USUAL_NVCC,
    Nvcc,
    find_nvcc,
    header_version,
)
from edgesr.engine.plugin_build import compiled
from edgesr.engine.plugin_nodes import MIXER, NORM, WEIGHTS
from edgesr.errors import EngineError
from edgesr.files import sha256

pytestmark = pytest.mark.long  # nvcc takes half a minute; tests/scan compiles the kernels by g++


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


def test_a_gpu_that_the_real_compiler_does_not_know(tmp_path, real):
    folder = tmp_path / "plugins"
    with pytest.raises(EngineError, match="nvcc failed: nvcc fatal"):
        compiled(real[1], STAND_IN, TENSORRT, "1.0", folder, WITHOUT, quiet)
    assert list(folder.iterdir()) == []


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
