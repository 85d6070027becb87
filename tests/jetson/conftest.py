"""A board for jetson/setup.sh: stand-ins for the programs that only a Jetson has."""

import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "jetson" / "setup.sh"

STAND_IN = Path(__file__).parent / "stand_in"

EDGESR = """
echo "edgesr $1" >>"$STATE/calls"
echo "edgesr $*" >>"$STATE/edgesr"
case "$1" in
"$FAILING") echo "error: no" >&2; exit 1 ;;
"$SLOW") : >"$STATE/started"; exec sleep 30 ;;
build-engine) echo '{}' >"$STATE/x.engine.json"
    printf '{"engine": "%s", "onnx": "student.onnx"}' "$STATE/x.engine" ;;
bench) mkdir -p "${@: -1}"; echo '{}' >"${@: -1}/result.json" ;;
esac
"""


@pytest.fixture
def board(tmp_path, orin_nano):
    """Return a function that runs the script: (arguments, **environment) -> finished process."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    tools, state, work = (tmp_path / name for name in ("bin", "state", "work"))
    for folder in (tools, state, work):
        folder.mkdir()
    programs = {
        "nvpmodel": (STAND_IN / "nvpmodel").read_text(),
        "jetson_clocks": (STAND_IN / "jetson_clocks").read_text(),
        "edgesr": EDGESR,
        "sudo": 'exec "$@"',
        "tegrastats": "echo VDD_IN 4904mW/4904mW",
    }
    for name, text in programs.items():
        path = tools / name
        path.write_text(text if text.startswith("#!") else f"#!/usr/bin/env bash\n{text}")
        path.chmod(0o755)
    (state / "mode").write_text("1\n")
    (state / "calls").touch()
    environment = os.environ | {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "STATE": str(state),
        "REFUSED": "",
        "FAILING": "-",
        "SLOW": "-",
    }

    class Board:
        root = orin_nano

        @property
        def tools(self):
            return tools

        def start_as(self, script, *arguments):
            process = subprocess.run(
                ["sh", script, *arguments],
                check=False,
                cwd=work,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            return process.returncode, process.stdout

        def start(self, *arguments, **extra):
            return subprocess.Popen(
                ["bash", SCRIPT, "--no-install", "--root", str(self.root), *arguments],
                cwd=work,
                env=environment | extra,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

        def run(self, *arguments, **extra):
            process = self.start(*arguments, **extra)
            output, _ = process.communicate(timeout=60)
            return process.returncode, output

        @property
        def mode(self):
            return (state / "mode").read_text().strip()

        @property
        def calls(self):
            return (state / "calls").read_text().splitlines()

        @property
        def edgesr_calls(self):
            return (state / "edgesr").read_text().splitlines()

        def wait_until_started(self):
            deadline = time.monotonic() + 30
            while not (state / "started").exists():
                assert time.monotonic() < deadline, "the slow step never began"
                time.sleep(0.05)

        def archive(self):
            (path,) = work.glob("*.tar.gz")
            with tarfile.open(path) as archive:
                return {Path(name).name for name in archive.getnames()}

        def file(self, name):
            (path,) = work.glob(f"edgesr-jetson-*/{name}")
            return path.read_text()

    return Board()
