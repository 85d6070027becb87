"""Every command in the README and the docs runs, with real inputs, in a folder of its own.

Commands stand in fenced `console` blocks. Long ones get the options of SHORTER, and building an
engine for a board stops after checking everything that can be checked without one. Those that need
a board, or that another test runs, are named in ELSEWHERE.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "engines/README.md"]

SHORTER = {
    "edgesr train": "--steps 2 --batch 1 --patch 16",
    "edgesr distill": "--steps 2 --batch 1 --patch 16",
    "edgesr bench --samples": "--samples 3 --power none --warmup 1",
    "edgesr build-engine": "--check",
    "edgesr live": "--duration 4 --power none",
}
ELSEWHERE = {
    "sh setup.sh demo": "tests/test_packaging.py runs it",
    "sh setup.sh test": "it is what runs this test",
    "edgesr bench --sweep": "it needs a board; tests/sweep runs it with stand-ins of its programs",
    "edgesr report runs/sweep": "tests/sweep runs it after the sweep",
    "jetson/setup.sh": "tests/jetson runs it with stand-ins of a board's programs",
    "edgesr live --source /dev/video0": "it needs a camera",
    "edgesr live --source rtsp:": "it needs a camera; tests/live/test_rtsp.py runs a server",
    "sudo apt install gstreamer1.0": "setup.sh installs it for the tests",
    "docker ": "it needs a board; tests/jetson installs what the image copies",
    "scp ": "it is not ours, and needs a board",
    "edgesr verify": "it needs a GPU; tests/cli/test_verify.py runs it on a simulated one",
    "pip install": "it installs what this environment has already",
    "'PATH=": "it compiles pycuda on a board",
    "edgesr serve": "it runs until it is told to end; tests/serve/test_serve_docs.py starts it",
    "curl ": "it asks a server; tests/serve/test_serve_docs.py runs it",
    "torchrun ": "tests/cli/test_train_processes.py runs it",
}


def blocks() -> Iterator[object]:
    for page in PAGES:
        commands = [
            line
            for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.S)
            for line in block.splitlines()
        ]
        yield pytest.param(commands, id=page.relative_to(ROOT).as_posix())


def espcn() -> bytes:
    """Return weights of an ESPCN, fresh from its initialisation."""
    from safetensors.torch import save

    from edgesr.models import get_network

    return save(get_network("espcn").module(4).state_dict())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the inputs that the docs name."""
    photo = ROOT / "tests/data/photo.png"
    shutil.copy(photo, tmp_path / "photo.png")
    shutil.copy(ROOT / "tests/power/data/logs/orin_nano_25w_load.txt", tmp_path / "power.log")
    (tmp_path / "album").mkdir()
    shutil.copy(photo, tmp_path / "album/holiday.png")
    (tmp_path / "Set5/HR").mkdir(parents=True)
    image = cv2.imread(str(photo))[:64, :64]
    cv2.imwrite(str(tmp_path / "Set5/HR/baby.png"), image)
    (tmp_path / "espcn_x4.safetensors").write_bytes(espcn())
    (tmp_path / "photos").mkdir()
    large = np.ascontiguousarray(np.tile(cv2.imread(str(photo)), (3, 3, 1)))
    cv2.imwrite(str(tmp_path / "photos/one.png"), large)
    return tmp_path


@pytest.mark.parametrize("commands", list(blocks()))
def test_commands_run(commands: list[str], folder: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    shows_video = any(line.startswith("edgesr live --source test") for line in commands)
    if shows_video and shutil.which("gst-launch-1.0") is None:
        pytest.skip("gst-launch-1.0 is not installed")
    for line in commands:
        command = shlex.join(shlex.split(line, comments=True))
        if command.startswith(tuple(ELSEWHERE)):
            continue
        assert command.startswith("edgesr "), f"name where this is run instead: {command}"
        shorter = next((more for start, more in SHORTER.items() if command.startswith(start)), "")
        is_piped = {"<", ">"} & set(shlex.split(line))
        done = subprocess.run(
            ["sh", "-c", line] if is_piped else shlex.split(f"{command} {shorter}"),
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command} {shorter}\n{done.stdout}\n{done.stderr}"
