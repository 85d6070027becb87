"""An engine that needs a plugin, opened where that plugin is not as it was: by the command line."""

import dataclasses

import cv2
import numpy as np
import pytest
import simulated_cuda

from edgesr.artifacts.home import plugins
from edgesr.artifacts.plugin import Plugin, source_sha256
from edgesr.boards.gpu import Gpu
from edgesr.cli import main
from edgesr.engine import find
from edgesr.files import sha256

LIBRARY = b"a library"


@pytest.fixture
def open_with(tmp_path, engine_manifest, monkeypatch, capsys):
    """Return a function that upscales by an engine whose manifest names a changed plugin.

    It gives what was said, after a library of this content was put in the plugin's place.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(find, "first_gpu", lambda: Gpu("Orin", "8.7", "12.6"))
    simulated_cuda.install(monkeypatch, simulated_cuda.Gpu())
    engine, photo, target = (tmp_path / name for name in ("a.engine", "photo.png", "large.png"))
    engine.write_bytes(b"plan")
    cv2.imwrite(str(photo), np.full((8, 8, 3), 99, np.uint8))
    plugins().mkdir(parents=True)
    library = plugins() / "mixer-0123456789abcdef.so"
    library.write_bytes(LIBRARY)
    plugin = Plugin(
        library.name,
        sha256(library),
        source_sha256(),
        engine_manifest.tensorrt,
        "8.7",
        "12.6.68",
    )

    def run(content, **changes):
        changed = dataclasses.replace(plugin, **changes)
        dataclasses.replace(engine_manifest, engine_sha256=sha256(engine), plugin=changed).write(
            engine
        )
        library.unlink()
        if content is not None:
            library.write_bytes(content)
        with pytest.raises(SystemExit) as stop:
            main(["upscale", str(photo), "-m", str(engine), "-o", str(target)])
        assert stop.value.code == 1
        assert not target.exists()
        assert not list(tmp_path.glob(".large*"))
        return capsys.readouterr().err.splitlines()

    return run


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        (None, {}, "not here"),
        (LIBRARY[:4], {}, "damaged or was changed"),
        (LIBRARY, {"source_sha256": "0" * 64}, "another edgesr"),
        (LIBRARY, {"compute_capability": "8.6"}, "this GPU has 8.7"),
        (LIBRARY, {}, "cannot be loaded"),  # as its manifest has it, but no library
    ],
    ids=["missing", "damaged", "another edgesr", "another GPU", "no library"],
)
def test_one_line_and_the_command_that_mends_it(open_with, content, changes, said):
    lines = open_with(content, **changes)
    assert len(lines) == 2
    assert lines[0].startswith("error: ")
    assert said in lines[0]
    assert lines[1].startswith("  try: edgesr build-engine ")
