"""The commands that are disturbed: what is there before, what they do, what a reader finds then."""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.hostile.children import Children, Done, Request
from benchmarks.hostile.clips import MOVING, frames_of
from benchmarks.hostile.surroundings import CLIENT, GPU
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
        ends: whether it ends with an error where the disk is full; a server goes on.
    """

    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    state: Callable[[Path], str]
    around: str = ""
    kept: tuple[str, ...] = ()
    ends: bool = True


def _model(folder: Path) -> str:
    from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession

    session = OnnxRuntimeSession(folder / "out/m.onnx")
    session.close()
    return session.manifest.onnx_sha256  # the loss is added to the manifest when it is measured


def _engine(folder: Path) -> str:
    from edgesr.artifacts.engine_manifest import EngineManifest
    from edgesr.files import sha256

    engine = folder / "out/m.engine"
    manifest = EngineManifest.read(engine)
    if sha256(engine) != manifest.engine_sha256:
        raise ValueError("engine and manifest do not belong together")
    return manifest.precision  # a second build of one network is another file


def _verified(folder: Path) -> str:
    from edgesr.artifacts.engine_manifest import EngineManifest

    return str(EngineManifest.read(folder / "out/nearest.engine").verification)


def _run(folder: Path) -> str:
    from edgesr.bench.report import write_report

    with tempfile.TemporaryDirectory() as name:
        report = Path(name)
        result = write_report(folder / "out/run", report)
        for new in report.iterdir():
            _check_report(folder, new)
    return ", ".join(figures.model.label for figures in result.models)


def _check_report(folder: Path, new: Path) -> None:
    """See that a file of a report is whole: of this run, or still of the one before it."""
    found = folder / "out/run" / new.name
    known = {path.read_bytes() for path in (new, folder / "old-run" / new.name) if path.is_file()}
    if found.is_file() and found.read_bytes() not in known:
        raise ValueError(f"{new.name} is of no run")


def _report(folder: Path) -> str:
    from edgesr.bench.report import PAGE, write_report

    with tempfile.TemporaryDirectory() as name:
        write_report(folder / "out/run", Path(name))
        for new in Path(name).iterdir():
            found = folder / "out/run" / new.name
            if found.is_file() and found.read_bytes() != new.read_bytes():
                raise ValueError(f"{new.name} is half of one")
    return "reported" if (folder / "out/run" / PAGE).is_file() else "not reported"


def _picture(folder: Path) -> str:
    from edgesr.imaging.picture import read_picture

    picture = read_picture(folder / "out/big.png")
    return hashlib.sha256(picture.colour.tobytes()).hexdigest()


def _clip(folder: Path) -> str:
    return frames_of(folder / "out/big.mp4")


def _animation(folder: Path) -> str:
    return frames_of(folder / "out/big.gif")


def _page(folder: Path) -> str:
    page = (folder / "out/page.html").read_text()
    if not page.rstrip().endswith("</html>"):
        raise ValueError("half a page")
    return "espcn" if "espcn" in page else "esr-fast"


def _training(folder: Path) -> str:
    import torch

    from edgesr.models.checkpoint import load_metadata, load_network
    from edgesr.train.record import read_metrics

    run = folder / "out/run"
    step = int(torch.load(run / "checkpoint.pt", weights_only=True)["step"])
    load_network("esr-fast", 4, run / "esr-fast_x4.safetensors")
    weights = int(load_metadata(run / "esr-fast_x4.safetensors")["step"])
    rows = [int(row["step"]) for row in read_metrics(run / "metrics.csv")]
    if rows != list(range(1, len(rows) + 1)) or not step <= weights <= len(rows):
        raise ValueError(f"checkpoint of step {step}, weights of {weights}, rows {rows}")
    json.loads((run / "config.json").read_text())
    return f"step {step}"


def _nothing(folder: Path) -> str:
    return ", ".join(path.name for path in (folder / "out").iterdir())


_EXPORT = ("export", "--model", "esr-fast", "-o", "out/m.onnx")
_BUILD = ("build-engine", "-m", "m.onnx", "--board", "rtx", "-o", "out/m.engine")
_SMALL_MODEL = ("export", "--model", "esr-fast", "--tile", "16", "--batch", "1", "-o", "m.onnx")
_UPSCALE = ("upscale", "photo.png", "-o", "out/big.png", "--overwrite", "-m")
_ANIMATION = ("upscale", "small.gif", "-o", "out/big.gif", "--overwrite", "-m")
_CLIP = ("upscale", "small.mp4", "-o", "out/big.mp4", "--overwrite", "-m")
_SERVE = ("serve", "--port", "0", "-m", "esr-fast")
_VERIFY = ("verify", "-m", "out/nearest.engine", "--against", "nearest.onnx")
_COMPARE = ("compare", "photo.png", "-o", "out/page.html", "--overwrite", "--model")

SCENARIOS = {
    "export": Scenario((_EXPORT,), ("export", "--model", "espcn", "-o", "out/m.onnx"), _model),
    "export-int8": Scenario((_EXPORT,), _INT8, _model),
    "build-engine": Scenario((_SMALL_MODEL, _BUILD), _BUILD, _engine),
    "bench": Scenario((_BENCH,), (*_BENCH, "-m", "fsrcnn"), _run),
    "upscale": Scenario(((*_UPSCALE, "esr-fast"),), (*_UPSCALE, "espcn"), _picture),
    "train": Scenario(
        ((*_TRAIN, "--steps", "2"),), (*_TRAIN, "--steps", "4", "--resume"), _training
    ),
    "distill": Scenario(
        ((*_DISTILL, "--steps", "2"),), (*_DISTILL, "--steps", "4", "--resume"), _training
    ),
    "report": Scenario((_BENCH,), ("report", "out/run"), _report),
    "compare": Scenario(((*_COMPARE, "esr-fast"),), (*_COMPARE, "espcn"), _page),
    "verify": Scenario((), _VERIFY, _verified, GPU),
    "animation": Scenario(((*_ANIMATION, "esr-fast"),), (*_ANIMATION, "bicubic"), _animation),
    "clip": Scenario(((*_CLIP, "esr-fast"),), (*_CLIP, "bicubic"), _clip, kept=(".edgesr-clip-",)),
    "serve": Scenario((), _SERVE, _nothing, CLIENT, ends=False),
    "power": Scenario((), ("power", "power.txt", "--json"), _nothing),
    "eval": Scenario((), ("eval", "-m", "esr-fast", "--data", "set"), _nothing),
    "models": Scenario((), ("models", "--json"), _nothing),
    "doctor": Scenario((), ("doctor",), _nothing),
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
