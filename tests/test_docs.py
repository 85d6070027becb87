"""Every command in the README and the docs runs, with real inputs, in a folder of its own.

documents.py says which blocks hold commands. Long ones get the options of SHORTER, and building an
engine for a board stops after checking everything that can be checked without one. Those that need
a board, or that another test runs, are named in ELSEWHERE; test_docs_names.py judges them.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest
from documents import ROOT
from documents import commands as commands_of
from PIL import Image

from edgesr.cli import main

HAS_PYAV = find_spec("av") is not None
"""It has left Python 3.10 behind, for which the other commands of a page run all the same."""

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "engines/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]

SHORTER = {
    "edgesr train": "--steps 2 --batch 1 --patch 16",
    "edgesr distill": "--steps 2 --batch 1 --patch 16",
    "edgesr bench --samples": "--samples 3 --power none --warmup 1",
    "edgesr build-engine": "--check",
    "edgesr live": "--duration-s 2 --power none",
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
    "edgesr upscale album --ray": "tests/cluster/test_ray.py runs it on a cluster",
    "ray start": "it is not ours, and goes on running; tests/cluster starts a cluster",
    "torchrun ": "tests/cli/test_train_processes.py runs it",
    "edgesr bench -m '~/.local": "it needs a GPU; tests/bench runs it on a simulated one",
    "edgesr bench --model student --samples 1000 --threads 1 -o runs/stand_in": "it takes minutes; "
    "tests/cli/test_bench_command.py runs the stand-in",
    "export ": "a shell has it",
    "edgesr eval -m dvmsr": "not our file; tests/models/published_layouts.py has its layout",
    "edgesr eval -m smfanet": "not our file; tests/models/published_layouts.py has its layout",
    "edgesr eval -m esr-tm": "not our file; tests/models/published_layouts.py has its layout",
    "edgesr models -m pocket": "tests/models/test_documents.py runs it with the page's network",
    "python -m benchmarks.release.ship": "tests/benchmarks/test_ship.py runs it",
    "python -m benchmarks.bench.sampling_overhead": "it takes minutes of a quiet machine",
    "python -m pytest": "it runs tests",
    "git log": "it reads the history, which an archive has not",
    "sh tests/lowest.sh": "it installs other versions; CI runs it",
    "sudo tests/": "it needs root and takes minutes",
}

LONG = {"jetson.md"}
"""Pages of long tests: this one exports the student in int8, as tests/export/test_int8.py does."""


def blocks() -> Iterator[object]:
    for page in PAGES:
        marks = [pytest.mark.long] * (page.name in LONG)
        yield pytest.param(commands_of(page), id=page.relative_to(ROOT).as_posix(), marks=marks)


def espcn() -> bytes:
    """Return weights of an ESPCN, fresh from its initialisation."""
    from safetensors.torch import save

    from edgesr.models import get_network

    return save(get_network("espcn").module(4).state_dict())


def make_moving(folder: Path) -> None:
    """Write a clip and an animation of two frames each."""
    frames = [Image.new("RGB", (32, 24), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "party.gif", save_all=True, append_images=frames[1:], duration=100)
    if not HAS_PYAV:
        return
    import av

    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame)))
        container.mux(stream.encode(None))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the inputs that the docs name."""
    photo = ROOT / "tests/data/photo.png"
    shutil.copy(photo, tmp_path / "photo.png")
    shutil.copy(ROOT / "tests/power/data/logs/orin_nano_25w_load.txt", tmp_path / "power.log")
    (tmp_path / "album").mkdir()
    shutil.copy(photo, tmp_path / "album/holiday.png")
    make_moving(tmp_path)
    image = cv2.imread(str(photo))[:64, :64]
    for name in ("Set5", "sets/Set5"):
        (tmp_path / name / "HR").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / name / "HR/baby.png"), image)
    (tmp_path / "espcn_x4.safetensors").write_bytes(espcn())
    (tmp_path / "photos").mkdir()
    shutil.copy(photo, tmp_path / "photos/one.png")
    return tmp_path


@pytest.mark.usefixtures("shared_traces")
@pytest.mark.parametrize("commands", list(blocks()))
def test_commands_run(
    commands: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In this process, which has torch loaded once for all; other tests start the program."""
    shows_video = any(line.startswith("edgesr live --source test") for line in commands)
    if shows_video and shutil.which("gst-launch-1.0") is None:
        pytest.skip("gst-launch-1.0 is not installed")
    monkeypatch.chdir(folder)
    for line in commands:
        command = shlex.join(shlex.split(line, comments=True))
        if command.startswith(tuple(ELSEWHERE)) or (".mp4" in command and not HAS_PYAV):
            continue
        assert command.startswith("edgesr "), f"name where this is run instead: {command}"
        shorter = next((more for start, more in SHORTER.items() if command.startswith(start)), "")
        if {"<", ">"} & set(shlex.split(line)):
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            done = subprocess.run(
                ["sh", "-c", line],
                env=os.environ | {"PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            continue
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(f"{command} {shorter}")[1:])
        said = capfd.readouterr()
        assert not ended.value.code, f"{command} {shorter}\n{said.out}\n{said.err}"
