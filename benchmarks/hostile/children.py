"""Commands run in processes of their own, each with something that befalls it at one change.

Starting Python and importing torch takes longer than most commands here. So one process divides
for every command (fork) and imports once what undisturbed ones have needed; what befalls a child, a
SIGKILL too, leaves the others alone. It lives in a mount namespace of its own, because a full disk
is a real one: a tmpfs that is made as small as what it holds, so the errors are the system's.

    python -m benchmarks.hostile.children    reads requests, one JSON document a line
"""

import ctypes
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.hostile.changes import Counter
from benchmarks.hostile.surroundings import put_around
from benchmarks.shared.folders import ROOT

STDOUT = "stdout.txt"
"""Where standard output goes on a disk that will be full."""

_TAUGHT = (
    *("edgesr", "torch", "onnx", "sympy", "networkx", "numpy", "cv2", "matplotlib"),
    *("pydantic", "typer", "rich", "msgspec", "safetensors", "xml"),
)
_SPACE = "size=1g"  # for a start: what the commands ask for before they begin
_MS_REMOUNT = 32
_STDERR, _CHANGES, _MODULES = "stderr.txt", "changes.json", "modules.json"
_NAMESPACE = ("unshare", "--mount", "--map-root-user")


@dataclass(frozen=True)
class Request:
    """One command and what befalls it.

    Attributes:
        folder: where it runs; changes below it count.
        command: arguments of `edgesr`.
        fault: `none`; `kill`: SIGKILL; `full`: the disk is full; `full of names`: and no file or
            folder can be made on it either, as where the inodes ran out.
        at: number of the change before which that happens.
        around: what surroundings.py puts around it.
    """

    folder: str
    command: tuple[str, ...]
    fault: str = "none"
    at: int = 0
    around: str = ""


@dataclass(frozen=True)
class Done:
    """What came of it.

    Attributes:
        exit_code: negative: the signal that ended it.
        stderr: all of it.
        changes: of the file system, in order, of an undisturbed command that ended well.
    """

    exit_code: int
    stderr: str
    changes: tuple[str, ...]


def can_mount() -> bool:
    """Tell whether this machine lets us have a disk of our own."""
    probe = (*_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt")
    return bool(shutil.which("unshare")) and not subprocess.run(probe, check=False).returncode


class Children:
    """The process that divides; use it as a context."""

    def __enter__(self) -> "Children":
        self._stack = ExitStack()
        home = self._stack.enter_context(tempfile.TemporaryDirectory())
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "MPLCONFIGDIR": home,  # its list of fonts is no file of a command,
            "TORCHINDUCTOR_CACHE_DIR": f"{home}/inductor",  # nor is torch's folder of kernels
            "HOME": home,
        }
        self._server = subprocess.Popen(
            [
                *(_NAMESPACE if can_mount() else ()),
                sys.executable,
                "-m",
                "benchmarks.hostile.children",
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._server.communicate()
        self._stack.close()

    def run(self, request: Request) -> Done:
        """Run one command to its end."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(asdict(request)) + "\n")
        self._server.stdin.flush()
        fields = json.loads(self._server.stdout.readline())
        return Done(fields["exit_code"], fields["stderr"], tuple(fields["changes"]))


def _serve() -> tuple[Request, Path, Path] | None:
    """Answer requests until there are no more.

    Returns:
        None; in a process that divided from this one: its request, the folder to run in, and the
        one for what it says.
    """
    with os.fdopen(os.dup(1), "w") as answers:
        while line := sys.stdin.readline():
            request = Request(**json.loads(line))
            notes = Path(tempfile.mkdtemp())
            full = request.fault.startswith("full")
            folder = _small_disk(Path(request.folder)) if full else Path(request.folder)
            pid = os.fork()
            if not pid:
                return request, folder, notes
            _, status = os.waitpid(pid, 0)
            if full:
                _take_back(folder, Path(request.folder))
            code = os.waitstatus_to_exitcode(status)
            changes = ()
            if not request.at and not code:
                changes = tuple(json.loads((notes / _CHANGES).read_text()))
                _import(json.loads((notes / _MODULES).read_text()))
            done = Done(code, (notes / _STDERR).read_text(errors="replace"), changes)
            shutil.rmtree(notes)
            answers.write(json.dumps(asdict(done)) + "\n")
            answers.flush()
    return None


def _import(names: list[str]) -> None:
    """Import what a child needed, as far as that does nothing else."""
    for name in names:
        if name.partition(".")[0] in _TAUGHT and name not in sys.modules:
            with suppress(ImportError):
                importlib.import_module(name)


def _small_disk(folder: Path) -> Path:
    """Return a copy of a folder on a file system of its own."""
    mount = tempfile.mkdtemp()
    subprocess.run(["mount", "-t", "tmpfs", "-o", _SPACE, "tmpfs", mount], check=True)
    return Path(shutil.copytree(folder, Path(mount) / "disk", symlinks=True))


def _take_back(copy: Path, folder: Path) -> None:
    """Put what came of the copy in the folder's place, and end the file system."""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder, symlinks=True)
    subprocess.run(["umount", str(copy.parent)], check=True)
    copy.parent.rmdir()


def _fill(folder: Path, names: bool) -> None:
    """Make the file system as small as what it holds."""
    held = os.statvfs(folder)
    options = f"size={(held.f_blocks - held.f_bfree) * held.f_frsize}"
    if names:
        options += f",nr_inodes={held.f_files - held.f_ffree}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", bytes(folder.parent), b"tmpfs", _MS_REMOUNT, options.encode()):
        raise RuntimeError(f"the disk cannot be filled: {os.strerror(ctypes.get_errno())}")


def _become(request: Request, folder: Path, notes: Path) -> int:
    """Run the command as if this process had been started for it; return its exit code."""
    full = request.fault.startswith("full")
    strikes = {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "full": lambda: _fill(folder, names=False),
        "full of names": lambda: _fill(folder, names=True),
    }
    counter = Counter(request.at, folder, strikes.get(request.fault, lambda: None))
    os.chdir(folder)
    _redirect((folder if full else notes) / STDOUT, 1)
    _redirect(notes / _STDERR, 2)
    tempfile.tempdir = str(folder / "tmp")  # said, so that Python does not probe it
    os.environ |= {"TMPDIR": str(folder / "tmp"), "EDGESR_HOME": str(folder / "home")}
    put_around(request.around)
    counter.install(stdout=full)
    code = _run(list(request.command))
    (notes / _CHANGES).write_text(json.dumps(counter.changes))
    (notes / _MODULES).write_text(json.dumps(list(sys.modules)))
    return code


def _redirect(path: Path, descriptor: int) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(opened, descriptor)
    os.close(opened)


def _run(command: list[str]) -> int:
    from edgesr.cli import main

    try:
        main(command)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    if (divided := _serve()) is not None:
        sys.exit(_become(*divided))
