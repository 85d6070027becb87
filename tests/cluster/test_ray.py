"""`edgesr upscale --ray`: the bytes of one machine, also where a worker is lost on the way."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edgesr.cli import main
from edgesr.cluster.task import Order, enlarge
from edgesr.errors import ImageError, MissingError

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Ray's own, of sockets and processes
    pytest.mark.timeout(600),
]
PICTURES = 8


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    """Pictures of two kinds, one that is none, and what one machine makes of them."""
    (tmp_path / "photos/deep").mkdir(parents=True)
    for number in range(PICTURES - 1):
        shutil.copy(data / "photo.png", tmp_path / f"photos/{number}.png")
    shutil.copy(data / "city_512.jpg", tmp_path / "photos/deep/city.jpg")
    (tmp_path / "photos/broken.png").write_bytes(b"no picture")
    local = [*command(tmp_path, "one_machine"), "--threads", "1"]
    assert subprocess.run(local, capture_output=True, check=False).returncode == 1
    return tmp_path


def command(folder: Path, output: str) -> list[str]:
    edgesr = [sys.executable, "-m", "edgesr", "upscale", str(folder / "photos"), "-r"]
    return [*edgesr, "-o", str(folder / output), "-m", "esr", "--json"]


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_lost_worker_s_pictures_are_done_again(cluster: Any, folder: Path) -> None:
    spread = subprocess.Popen(
        [*command(folder, "cluster"), "--ray", cluster.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300
    while not list((folder / "cluster").glob("*.png")):
        assert spread.poll() is None, spread.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    before = len(list((folder / "cluster").rglob("*.png")))
    lost = next(node for node in cluster.worker_nodes)
    cluster.remove_node(lost, allow_graceful=False)  # its processes get SIGKILL
    out, err = spread.communicate(timeout=500)
    assert before < PICTURES
    assert spread.returncode == 1, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert sum(row["status"] == "done" for row in rows) == PICTURES
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert failed["input"].endswith("broken.png")
    assert "not a picture" in failed["error"]
    assert contents(folder / "cluster") == contents(folder / "one_machine")


def test_the_command_of_the_page(
    cluster: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` finds the cluster of this machine by the variable that Ray sets in its own shells."""
    page = (Path(__file__).parents[2] / "docs/many_machines.md").read_text()
    (line,) = re.findall(r"^(edgesr upscale .*)$", page, re.M)
    (tmp_path / "album").mkdir()
    shutil.copy(data / "photo.png", tmp_path / "album/holiday.png")
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    words = [sys.executable, "-m", *shlex.split(line)]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    assert [path.name for path in (tmp_path / "large").iterdir()] == ["holiday_x4.png"]


@pytest.mark.parametrize("address", ["localhost:1", "ray://localhost:1", "localhost:99999"])
def test_no_cluster_there(address: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import ray  # noqa: F401  # without it the message is another one

    begin = time.monotonic()
    with pytest.raises(SystemExit) as exit_:
        main(["upscale", str(data / "photo.png"), "--ray", address])
    assert exit_.value.code == 1
    assert f"--ray: no Ray cluster answers at {address} (" in capsys.readouterr().err
    assert time.monotonic() - begin < 60


def test_the_task_alone(data: Path) -> None:
    order = Order("esr-fast", (), 4, "onnxruntime", 1, None, None, 95)
    broken = enlarge(order, "broken.png", b"no picture", ".png")
    assert isinstance(broken, ImageError)
    assert broken.where == "broken.png"
    other = Order("esr-fast", (), 4, "onnxruntime", 1, None, None, 95, version="0.0")
    refused = enlarge(other, "photo.png", (data / "photo.png").read_bytes(), ".png")
    assert isinstance(refused, MissingError)
    assert refused.fix == "pip install edgesr==0.0"


def test_a_model_of_a_file_travels(data: Path, make_nearest: Any) -> None:
    import cv2
    import numpy as np

    from edgesr.cluster.spread import order_for
    from edgesr.cluster.task import TaskResult

    path = make_nearest()
    order = order_for(str(path), None, "auto", None, None, None, 95)
    path.unlink()
    photo = data / "photo.png"
    done = enlarge(order, "photo.png", photo.read_bytes(), ".png")
    assert isinstance(done, TaskResult)
    large = cv2.imdecode(np.frombuffer(done.data, np.uint8), cv2.IMREAD_UNCHANGED)
    small = cv2.imread(str(photo), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(large, small.repeat(4, axis=0).repeat(4, axis=1))
