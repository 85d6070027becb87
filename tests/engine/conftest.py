"""A compiler that is a script."""

import pytest
from plugin_parts import STAND_IN


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
