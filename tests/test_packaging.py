"""Two ways to get edgesr: the set-up script in a fresh clone, a wheel in an empty environment."""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import cv2
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "tests/data/photo.png"


def run(*command: object, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["PIP_NO_COMPILE"] = "1"  # of ten thousand modules a few dozen are imported
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def assert_enlarged(path: Path) -> None:
    before, after = cv2.imread(str(PHOTO)), cv2.imread(str(path))
    assert after.shape[:2] == (4 * before.shape[0], 4 * before.shape[1])


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what is tracked, as it is in the working tree."""
    names = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    target = tmp_path_factory.mktemp("packaging") / "clone"
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def test_every_pin_leaves_python_3_10_a_release() -> None:
    """JetPack 6 has Python 3.10; pip stops at a pin whose release does not run there."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        pin = Requirement(line)
        if pin.marker is not None and not pin.marker.evaluate({"python_version": "3.10"}):
            continue
        try:
            runs_on = metadata(pin.name)["Requires-Python"]
        except PackageNotFoundError:  # not on every kind of machine
            continue
        assert runs_on is None or SpecifierSet(runs_on).contains("3.10"), line


@pytest.fixture(scope="module")
def demo(clone: Path) -> tuple[Path, str]:
    """The clone after the README's first command, and what git finds that it did not before."""
    run("git", "init", "-q", cwd=clone)
    run("git", "add", ".", cwd=clone)
    before = run("git", "status", "--porcelain", cwd=clone)
    run("sh", "setup.sh", "demo", cwd=clone)
    return clone, run("git", "status", "--porcelain", cwd=clone).replace(before, "", 1)


@pytest.mark.long
def test_demo_command_of_the_readme(demo: tuple[Path, str]) -> None:
    clone, new = demo
    assert_enlarged(clone / "runs/photo_x4.png")
    assert new == ""


@pytest.mark.long
def test_wheel_works_from_any_folder_without_torch(demo: tuple[Path, str], tmp_path: Path) -> None:
    """In the demo's environment without edgesr: what the package asks for, and nothing else."""
    pytest.importorskip("build.__main__")
    clone, _ = demo
    run(
        sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", clone, cwd=tmp_path
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert wheel.stat().st_size < 8e6
    binaries = clone / ".venv/bin"
    run(binaries / "pip", "uninstall", "-q", "-y", "edgesr", cwd=tmp_path)
    run(binaries / "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    installed = json.loads(run(binaries / "pip", "list", "--format=json", cwd=tmp_path))
    assert "torch" not in {package["name"] for package in installed}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(PHOTO, elsewhere / "photo.png")
    where = "import edgesr; print(edgesr.__file__)"
    assert "site-packages" in run(binaries / "python", "-c", where, cwd=elsewhere)
    run(binaries / "edgesr", "upscale", "photo.png", cwd=elsewhere)
    assert_enlarged(elsewhere / "photo_x4.png")
    assert "student" in run(binaries / "edgesr", "models", cwd=elsewhere)
