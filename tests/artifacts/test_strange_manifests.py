"""Which modules a file can cause to be imported, and what a wrong engine manifest does."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.errors import EngineError
from edgesr.files import sha256
from edgesr.weights import shipped

PHOTO = Path(__file__).parents[1] / "data/photo.png"
NAMES = (
    "antigravity",
    "this",
    "os",
    "stranger",
    "stranger.inner",
    "tensorrt.evil",
    "../stranger",
    "",
)
STRANGE: tuple[str, ...] = (
    *("", "5", "null", '""', "[]", "{", "[" * 100_000, '{"a":' * 100_000, "\x1b[31m"),
    '{"format": "edgesr-engine/1"}',
)
WATCH = """
import os, sys
seen = set()
class Watch:
    def find_spec(self, name, path=None, target=None):
        seen.add(name)  # asked first for every module that is not loaded yet
sys.meta_path.insert(0, Watch())
from edgesr.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", " ".join(sorted(seen)), file=sys.stderr)
"""


def edgesr(folder: Path, *command: str) -> tuple[int, str, set[str]]:
    """Run a command; return its exit code, what it said, and every module it tried to import."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(folder)},
    )
    said, _, imported = done.stderr.rpartition("imported:")
    assert "Traceback" not in said
    return done.returncode, said, set(imported.split())


def fields(manifest: EngineManifest, **changes: Any) -> dict[str, Any]:
    """Return a manifest of the shipped student, so that it is a candidate, with changes."""
    onnx = OnnxManifest.read(shipped("student", 4, "onnx"))
    assert onnx.parent is not None
    own = replace(
        manifest, network="student", onnx_sha256=onnx.onnx_sha256, weights_sha256=onnx.parent.sha256
    )
    return asdict(own) | changes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with engines/ and a module that must not be imported."""
    (tmp_path / "engines").mkdir()
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path))
    (tmp_path / "stranger").mkdir()
    for name in ("__init__", "inner"):
        (tmp_path / "stranger" / f"{name}.py").write_text("open('ran', 'w')")
    return tmp_path


def put(folder: Path, name: str, text: str) -> None:
    engine = folder / "engines" / f"{name}.engine"
    engine.write_bytes(b"x")
    EngineManifest.path_for(engine).write_text(text)


@pytest.mark.parametrize("command", [("doctor",), ("upscale", str(PHOTO), "-o", "x.png")])
def test_only_tensorrt_is_imported(
    command: tuple[str, ...], folder: Path, engine_manifest: EngineManifest
) -> None:
    (folder / "tensorrt.py").write_text("raise ImportError('a stand-in')")
    _, _, usual = edgesr(folder, *command)
    for number, name in enumerate((*NAMES, "tensorrt", "json", 5, None)):
        put(folder, f"n{number}", json.dumps(fields(engine_manifest, tensorrt_module=name)))
    (folder / "x.png").unlink(missing_ok=True)
    _, _, imported = edgesr(folder, *command)
    assert not (folder / "ran").exists()
    assert imported - usual - {"tensorrt"} == set()
    assert "tensorrt" in imported  # so the names were followed at all


def test_a_wrong_manifest_nobody_named_is_skipped_with_one_line(
    folder: Path, engine_manifest: EngineManifest
) -> None:
    texts = {str(number): text for number, text in enumerate(STRANGE)}
    for field, value in (("inputs", []), ("inputs", {}), ("tile", 10**9), ("batch", "1")):
        texts[f"{field}{value!r:.8}".replace("/", "")] = json.dumps(
            fields(engine_manifest, **{field: value})
        )
    for name, text in texts.items():
        put(folder, name, text)
    code, said, _ = edgesr(folder, "upscale", str(PHOTO), "-o", "x.png")
    assert code == 0
    assert len(said.splitlines()) == len(texts)
    assert all(line.startswith(f"note: skipped: {folder}/engines/") for line in said.splitlines())


def test_a_wrong_manifest_that_was_named_is_one_error(folder: Path) -> None:
    for text in STRANGE:
        put(folder, "named", text)
        with pytest.raises(EngineError, match="cannot be read"):
            EngineManifest.read(folder / "engines/named.engine")
    code, said, _ = edgesr(folder, "upscale", str(PHOTO), "-m", "engines/named.engine")
    assert code == 1
    error, *fix = said.splitlines()
    assert error.startswith("error: engines/named.engine.json: cannot be read")
    assert len(fix) == 1


@pytest.mark.parametrize("file", ["../x.so", "/lib/x.so", "", "..", 5, "a\0b"])
def test_a_plugin_outside_its_folder_is_not_loaded(
    file: object, folder: Path, engine_manifest: EngineManifest
) -> None:
    plugin = {
        "file": file,
        "sha256": "0" * 64,
        "source_sha256": "0" * 64,
        "tensorrt": "10.3.0",
        "compute_capability": "8.7",
        "nvcc": "12.6.68",
    }
    put(folder, "plugin", json.dumps(fields(engine_manifest, plugin=plugin)))
    with pytest.raises(EngineError, match=r"cannot be read.*plugin\.file"):
        EngineManifest.read(folder / "engines/plugin.engine")
    put(folder, "plugin", json.dumps(fields(engine_manifest, plugin=plugin | {"file": "x.so"})))
    read = EngineManifest.read(folder / "engines/plugin.engine").plugin
    assert read is not None
    assert read.file == "x.so"


def test_an_engine_whose_writer_was_killed_is_found(
    folder: Path, engine_manifest: EngineManifest
) -> None:
    from edgesr.artifacts.engine_files import engine_paths

    engine = folder / "engines/e.engine"
    content = b"engine"
    waiting = folder / "engines/w"
    waiting.write_bytes(content)
    digest = sha256(waiting)
    waiting.rename(folder / f"engines/.e.engine.{digest[:16]}.new")
    replace(engine_manifest, engine_sha256=digest).write(engine)
    assert engine_paths(folder / "engines") == [engine]
    assert EngineManifest.read(engine).engine_sha256 == digest
    assert engine.read_bytes() == content
    assert sorted(path.name for path in engine.parent.iterdir()) == ["e.engine", "e.engine.json"]
