"""The short part of userland.sh: doctor and upscale on an arm64 Debian, against this machine."""

import lzma
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("userland.sh")
MIRROR = "http://deb.debian.org/debian"
LOGS = sorted(SCRIPT.parent.glob("*.log.xz"))
HANDLERS = Path("/proc/sys/fs/binfmt_misc")
WORK = Path("/var/tmp")


def leftovers() -> set[Path]:
    """Return what a run makes outside its own namespaces."""
    return {*WORK.glob("edgesr-arm64.*"), *HANDLERS.glob("edgesr-*")}


def start(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["bash", SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def machine() -> None:
    """Skip where the short part was not asked for or cannot run, with what is missing."""
    if not os.environ.get("EDGESR_ARM64"):
        pytest.skip("two minutes and more: set EDGESR_ARM64=1")
    if platform.machine() != "x86_64" or sys.platform != "linux":
        pytest.skip("arm64 is emulated on an x86-64 Linux")
    if os.geteuid() != 0:
        pytest.skip("chroot and mounts need root")
    for program in ("debootstrap", "qemu-aarch64-static"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: apt-get install debootstrap qemu-user-static")
    if "binfmt_misc" not in Path("/proc/filesystems").read_text():
        pytest.skip("this kernel has no binfmt_misc")
    namespace = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"]
    if subprocess.run(namespace, capture_output=True, check=False).returncode != 0:
        pytest.skip("no namespaces for mounts and processes here")
    try:
        urllib.request.urlopen(f"{MIRROR}/dists/bookworm/Release", timeout=20).close()
    except OSError as error:
        pytest.skip(f"Debian's mirror cannot be reached: {error}")


@pytest.mark.timeout(900)
def test_the_product_runs_on_arm64_as_on_x86_64(machine: None) -> None:
    before = leftovers()
    done = start("--short")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok       opencv-python" in done.stdout
    assert "board          aarch64: no Jetson" in done.stdout
    assert "(432, 576, 3): " in done.stdout
    assert "all of it passed on x86_64 as aarch64" in done.stdout
    assert leftovers() == before
    status = ["git", "-C", SCRIPT.parent, "status", "--porcelain", "--ignored", "-uall"]
    found = subprocess.run(status, capture_output=True, text=True, check=False).stdout
    assert "arm64.png" not in found


@pytest.mark.parametrize("name", [path.name for path in LOGS])
def test_the_committed_run_did_all_that_the_script_does(name: str) -> None:
    """A log of other steps than the script has now is no evidence for it."""
    script = SCRIPT.with_name("on_board.sh").read_text()
    log = lzma.decompress(SCRIPT.with_name(name).read_bytes()).decode()
    steps = re.findall(r'^step "(.*)"$', script, re.MULTILINE)
    assert len(steps) >= 7
    assert re.findall(r"^== +[0-9]+ s  (.*)$", log, re.MULTILINE)[2:-2] == steps
    wanted = set(re.findall(r'^ *holds "([^"$]*)"', script, re.MULTILINE))
    assert len(wanted) >= 10
    assert wanted <= set(re.findall(r"^holds: (.*)$", log, re.MULTILINE))
    last = log.splitlines()[-1]
    assert "all of it passed on x86_64 as aarch64" in last
    seconds = int(last.split()[1])
    contributing = (SCRIPT.parents[2] / "CONTRIBUTING.md").read_text()
    assert f"{round(seconds / 60)} minutes" in contributing


def test_what_it_cannot_do_it_says_and_does_not_begin() -> None:
    before = leftovers()
    done = start("--frobnicate")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: unknown option --frobnicate\n  try: ")
    done = start("--suite")
    assert done.returncode == 1
    assert "--suite needs a value" in done.stderr
    for arguments in (["--python"], ["--python", "3.9"], ["--python", "--short"]):
        done = start(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "error: --python takes 3.10 or 3.12\n  try: --python 3.10\n"
    for arguments in (["--short", "--python", "3.10"], ["--python", "3.12", "--suite", "trixie"]):
        done = start(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: --python goes with all of bookworm")
    assert leftovers() == before


def test_somebody_else_than_root_is_told() -> None:
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    command = [*(nobody if os.geteuid() == 0 else []), "bash"]
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv, to be somebody else than root")
    if subprocess.run([*command, "-c", f"test -r '{SCRIPT}'"], check=False).returncode != 0:
        pytest.skip("this checkout is for root only")
    done = subprocess.run([*command, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: chroot and mounts need root\n  try: sudo ")
