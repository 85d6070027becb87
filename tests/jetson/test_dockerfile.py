"""jetson/Dockerfile, as far as it can be tried without a board: what it copies is what it needs."""

import re
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "jetson/Dockerfile"


def copied() -> list[str]:
    """Return the files and folders that go into the image."""
    rows = re.findall(r"^COPY (.*) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    return [name for row in rows for name in row.split()]


def test_nothing_that_is_copied_is_ignored() -> None:
    rows = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().split()
    kept = [row.removeprefix("!") for row in rows if row.startswith("!")]
    assert sorted(kept) == sorted(copied())
    assert rows[0] == "*"
    assert any(fnmatch("edgesr/__pycache__", row) for row in rows if not row.startswith("!"))


@pytest.mark.long  # pip fetches what builds a wheel
def test_what_is_copied_makes_the_whole_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in copied():
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*build, "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("edgesr-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    boards = {f"edgesr/boards/{p.name}" for p in (ROOT / "edgesr/boards").glob("*.toml")}
    assert boards and boards <= names
    assert "edgesr/scan/plugin/" in {f"{name.rpartition('/')[0]}/" for name in names}


def test_every_step_is_shell_that_can_be_read() -> None:
    text = re.sub(r"\\\n", "", DOCKERFILE.read_text())
    steps = re.findall(r"^RUN (.*)$", text, re.MULTILINE)
    assert len(steps) == 2
    for step in steps:
        subprocess.run(["sh", "-n", "-c", step], check=True)


def test_the_script_that_builds_it_refuses_what_it_cannot_do() -> None:
    script = Path(__file__).with_name("container.sh")
    done = subprocess.run(["bash", script, "focal"], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: no release 'focal'\n  try: {script} jammy, or noble\n"


@pytest.mark.parametrize(("suite", "python"), [("jammy", "3.10"), ("noble", "3.12")])
def test_the_committed_run_did_all_that_the_script_does(suite: str, python: str) -> None:
    """A log of other steps than the script and the definition have now is no evidence for them."""
    script = Path(__file__).with_name("container.sh").read_text()
    log = Path(__file__).with_name(f"container_{suite}.log").read_text()
    steps = [name.replace("$suite", suite) for name in re.findall(r'step "(.*)"', script)]
    found = re.findall(r"^== +[0-9]+ s  (.*)$", log, re.MULTILINE)
    assert set(found[:-1]) == set(steps[:-1])
    assert found[-1].startswith("all of it passed")
    definition = re.sub(r"\\\n", "", DOCKERFILE.read_text())
    instructions = re.findall(r"^(?:FROM|RUN|COPY|ENV|WORKDIR|ENTRYPOINT|CMD)\b", definition, re.M)
    assert [row.split()[2] for row in re.findall(r"^STEP .*", log, re.M)] == instructions
    assert f"\nPython {python}." in log
