"""The commands of docs/serve.md and the README that start a server or talk to one."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from running_server import Running

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs/serve.md", ROOT / "README.md")


def commands(program: str) -> list[str]:
    blocks = [re.findall(r"```console\n(.*?)```", page.read_text(), re.S) for page in PAGES]
    lines = [line for page in blocks for block in page for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith(program)})


@pytest.mark.parametrize("command", commands("edgesr serve"))
def test_servers_start(command: str, start: Callable[..., Running]) -> None:
    _, _, *options = shlex.split(command, comments=True)
    if "--port" in options:  # one that is free
        at = options.index("--port")
        del options[at : at + 2]
    server = start(*options)
    model = options[options.index("--model") + 1] if "--model" in options else None
    assert json.loads(server.ask("GET", "/health").body)["model"] == (model or "student or photo")


@pytest.mark.skipif(shutil.which("curl") is None, reason="apt install curl")
def test_programs_talk_to_it(server: Running, data: Path, tmp_path: Path) -> None:
    shutil.copy(data / "photo.png", tmp_path / "photo.png")
    lines = commands("curl ")
    assert len(lines) >= 5
    for line in lines:
        command = shlex.split(line.replace("localhost:8000", f"localhost:{server.port}"))
        subprocess.run([*command, "--fail", "-s"], cwd=tmp_path, check=True, capture_output=True)
    for name in ("photo_x4.png", "photo_x4.webp", "photo_x4.jpg"):
        assert cv2.imread(str(tmp_path / name)).shape == (432, 576, 3)


def test_every_status_is_explained() -> None:
    """Statuses that the code answers, and those that the page lists, are the same."""
    page = (ROOT / "docs/serve.md").read_text()
    listed = re.findall(r"^\| ([\d, ]+) \|", page, re.M)
    explained = {status for row in listed for status in row.split(", ")}
    code = "".join(path.read_text() for path in sorted((ROOT / "edgesr/serve").glob("*.py")))
    answered = set(re.findall(r"Refusal\(\s*(\d{3}),", code))
    assert answered == explained
