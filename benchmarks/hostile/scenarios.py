"""The commands that are disturbed: what is there before, what they do, what a reader finds then."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.hostile import readers
from benchmarks.hostile.children import Children, Done, Request
from benchmarks.hostile.clips import MOVING
from benchmarks.hostile.simulated_board import make_board
from benchmarks.hostile.surroundings import BOARD, CLIENT, GPU
from benchmarks.shared.folders import ROOT

DATA = ROOT / "tests/data"
_SMALL = (
    *("--data", "pictures", "-o", "out/run", "--device", "cpu", "--batch", "2", "--patch", "8"),
    *("--log-every", "1", "--checkpoint-every", "2"),
)
_TRAIN = ("train", "--model", "esr-fast", *_SMALL)
_DISTILL = ("distill", "--model", "esr-fast", "--teacher", "teacher.safetensors", *_SMALL)
_BENCH = (
    *("bench", "-m", "esr-fast", "--samples", "5", "--rounds", "1", "--warmup", "0"),
    *("--power", "none", "--input", "32x32"),
    *("-o", "out/run", "--overwrite"),
)
_INT8 = (
    *("export", "--model", "espcn", "--precision", "int8", "--tile", "32", "--data", "set"),
    *("-o", "out/m.onnx"),
)


@dataclass(frozen=True)
class Scenario:
    """A command, every change of which is a place for something to befall it.

    Attributes:
        before: commands that make the old state.
        command: what is disturbed, and run again after it.
        state: folder -> what a reader finds there, as a text; it raises where that is a mixture.
        around: what surroundings.py puts around the command.
        kept: beginnings of the hidden names that it leaves on purpose where it cannot go on.
        names: two names of which a file may have either, as the run of a sweep.
        ends: whether it ends with an error where the disk is full; a server goes on.
    """

    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    state: Callable[[Path], str]
    around: str = ""
    kept: tuple[str, ...] = ()
    names: tuple[str, str] = ("", "")
    ends: bool = True


_EXPORT = ("export", "--model", "esr-fast", "-o", "out/m.onnx")
_BUILD = ("build-engine", "-m", "m.onnx", "--board", "rtx", "-o", "out/m.engine")
_SMALL_MODEL = ("export", "--model", "esr-fast", "--tile", "16", "--batch", "1", "-o", "m.onnx")
_UPSCALE = ("upscale", "photo.png", "-o", "out/big.png", "--overwrite", "-m")
_ANIMATION = ("upscale", "small.gif", "-o", "out/big.gif", "--overwrite", "-m")
_CLIP = ("upscale", "small.mp4", "-o", "out/big.mp4", "--overwrite", "-m")
_SERVE = ("serve", "--port", "0", "-m", "esr-fast")
_SWEEP = (
    *("bench", "--sweep", "power-mode", "--power-mode", "15w", "--samples", "3", "--rounds", "1"),
    *("--warmup", "0", "--power", "none", "--input", "64x64", "-m", "esr-fast"),
    *("-o", "out/sweep", "--overwrite"),
)
_LIVE = (
    *("live", "--source", "test", "--sink", "out/live.mkv", "--record", "out/frames.csv"),
    *("--duration-s", "1", "--power", "none", "-m", "esr-fast", "--overwrite", "--size"),
)
_VERIFY = ("verify", "-m", "out/nearest.engine", "--against", "nearest.onnx")
_COMPARE = ("compare", "photo.png", "-o", "out/page.html", "--overwrite", "--model")

SCENARIOS = {
    "export": Scenario(
        (_EXPORT,), ("export", "--model", "espcn", "-o", "out/m.onnx"), readers.model
    ),
    "export-int8": Scenario((_EXPORT,), _INT8, readers.model),
    "build-engine": Scenario((_SMALL_MODEL, _BUILD), _BUILD, readers.engine),
    "bench": Scenario((_BENCH,), (*_BENCH, "-m", "fsrcnn"), readers.run),
    "upscale": Scenario(((*_UPSCALE, "esr-fast"),), (*_UPSCALE, "espcn"), readers.picture),
    "train": Scenario(
        ((*_TRAIN, "--steps", "2"),), (*_TRAIN, "--steps", "4", "--resume"), readers.training
    ),
    "distill": Scenario(
        ((*_DISTILL, "--steps", "2"),), (*_DISTILL, "--steps", "4", "--resume"), readers.training
    ),
    "report": Scenario((_BENCH,), ("report", "out/run"), readers.report),
    "compare": Scenario(((*_COMPARE, "esr-fast"),), (*_COMPARE, "espcn"), readers.page),
    "verify": Scenario((), _VERIFY, readers.verified, GPU),
    "animation": Scenario(
        ((*_ANIMATION, "esr-fast"),), (*_ANIMATION, "bicubic"), readers.animation
    ),
    "clip": Scenario(
        ((*_CLIP, "esr-fast"),), (*_CLIP, "bicubic"), readers.clip, kept=(".edgesr-clip-",)
    ),
    "serve": Scenario((), _SERVE, readers.nothing, CLIENT, ends=False),
    "sweep": Scenario(
        (_SWEEP,), (*_SWEEP, "-m", "fsrcnn"), readers.sweep, BOARD, names=("0-15W", "0-15W-2")
    ),
    "live": Scenario(((*_LIVE, "32x24"),), (*_LIVE, "24x16"), readers.live),
    "power": Scenario((), ("power", "power.txt", "--json"), readers.nothing),
    "eval": Scenario((), ("eval", "-m", "esr-fast", "--data", "set"), readers.nothing),
    "models": Scenario((), ("models", "--json"), readers.nothing),
    "doctor": Scenario((), ("doctor",), readers.nothing),
}


def prepare(folder: Path, scenario: Scenario, children: Children) -> None:
    """Make the old state of a scenario in an empty folder.

    Raises:
        RuntimeError: a command of it failed.
    """
    for name in ("out", "pictures", "set/HR", "tmp", "cache"):
        (folder / name).mkdir(parents=True)
    for name in ("photo.png", "pictures/photo.png", "set/HR/photo.png"):
        shutil.copy(DATA / "photo.png", folder / name)
    shutil.copy(ROOT / "edgesr/weights/esr-fast_x4.safetensors", folder / "teacher.safetensors")
    for name, write in MOVING.items():
        if name in scenario.command:
            write(folder / name)
    shutil.copy(ROOT / "tests/power/data/logs/orin_nano_25w_idle.txt", folder / "power.txt")
    if scenario.around == GPU:
        _write_nearest(folder)
    if scenario.around == BOARD:
        make_board(folder)
    for command in scenario.before:
        run(folder, replace(scenario, command=command), children)
    if (folder / "out/run/report.html").is_file():
        shutil.copytree(folder / "out/run", folder / "old-run")
    if scenario.command[0] == "report":  # what a run leaves that ends before its report
        for name in ("result.json", "report.html", "power.svg", "latency.svg"):
            (folder / "out/run" / name).unlink()


def _write_nearest(folder: Path) -> None:
    """Write a network that repeats pixels and the engine of it that the simulated GPU runs."""
    sys.path.append(str(ROOT / "tests"))
    from nearest_network import (  # type: ignore[import-not-found]
        write_nearest,
        write_nearest_engine,
    )

    onnx = write_nearest(folder / "nearest.onnx", tile=8, batch=1)
    write_nearest_engine(folder / "out/nearest.engine", onnx)


def run(folder: Path, scenario: Scenario, children: Children) -> Done:
    """Run the command of a scenario undisturbed.

    Raises:
        RuntimeError: it failed.
    """
    done = children.run(Request(str(folder), scenario.command, around=scenario.around))
    if done.exit_code:
        raise RuntimeError(f"{' '.join(scenario.command)}: {done.stderr}")
    return done
