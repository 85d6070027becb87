"""Every command in the README and the docs runs, with real inputs, in a folder of its own.

Commands stand in fenced `console` blocks. Long ones get the options of SHORTER, and building an
engine for a board stops after checking everything that can be checked without one. Those that need
a board, or that another test runs, are named in ELSEWHERE.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest
from PIL import Image

from edgesr.cli import main

HAS_PYAV = find_spec("av") is not None
"""It has left Python 3.10 behind, for which the other commands of a page run all the same."""

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "engines/README.md"]

SHORTER = {
    "edgesr train": "--steps 2 --batch 1 --patch 16",
    "edgesr distill": "--steps 2 --batch 1 --patch 16",
    "edgesr bench --samples": "--samples 3 --power none --warmup 1",
    "edgesr build-engine": "--check",
    "edgesr live": "--duration-s 4 --power none",
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
    (tmp_path / "Set5/HR").mkdir(parents=True)
    image = cv2.imread(str(photo))[:64, :64]
    cv2.imwrite(str(tmp_path / "Set5/HR/baby.png"), image)
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
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(f"{command} {shorter}")[1:])
        said = capfd.readouterr()
        assert not ended.value.code, f"{command} {shorter}\n{said.out}\n{said.err}"
