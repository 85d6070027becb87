"""What a reader finds of the files that a command writes, as a text; he refuses a mixture.

Each takes the folder of a scenario and raises where what lies there is not of one state.
"""

import hashlib
import json
import tempfile
from pathlib import Path

from benchmarks.hostile.clips import frames_of, size_of
from benchmarks.hostile.simulated_board import as_it_was


def model(folder: Path) -> str:
    """Open a model and its manifest together; tell which it is."""
    from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession

    session = OnnxRuntimeSession(folder / "out/m.onnx")
    session.close()
    return session.manifest.onnx_sha256  # the loss is added to the manifest when it is measured


def engine(folder: Path) -> str:
    """See that an engine is the one its manifest describes; tell its precision."""
    from edgesr.artifacts.engine_manifest import EngineManifest
    from edgesr.files import sha256

    engine = folder / "out/m.engine"
    manifest = EngineManifest.read(engine)
    if sha256(engine) != manifest.engine_sha256:
        raise ValueError("engine and manifest do not belong together")
    return manifest.precision  # a second build of one network is another file


def verified(folder: Path) -> str:
    """Tell what the manifest of an engine says of its comparison with ONNX Runtime."""
    from edgesr.artifacts.engine_manifest import EngineManifest

    return str(EngineManifest.read(folder / "out/nearest.engine").verification)


def run(folder: Path) -> str:
    """Report on a bench again; tell of which networks it is."""
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


def report(folder: Path) -> str:
    """Tell whether a bench is reported; what is there of a report must be whole."""
    from edgesr.bench.report import PAGE, write_report

    with tempfile.TemporaryDirectory() as name:
        write_report(folder / "out/run", Path(name))
        for new in Path(name).iterdir():
            found = folder / "out/run" / new.name
            if found.is_file() and found.read_bytes() != new.read_bytes():
                raise ValueError(f"{new.name} is half of one")
    return "reported" if (folder / "out/run" / PAGE).is_file() else "not reported"


def picture(folder: Path) -> str:
    """Tell which pixels a picture has."""
    from edgesr.imaging.picture import read_picture

    picture = read_picture(folder / "out/big.png")
    return hashlib.sha256(picture.colour.tobytes()).hexdigest()


def clip(folder: Path) -> str:
    """Tell what all frames of a clip show."""
    return frames_of(folder / "out/big.mp4")


def animation(folder: Path) -> str:
    """Tell what all frames of an animation show."""
    return frames_of(folder / "out/big.gif")


def page(folder: Path) -> str:
    """Tell which network a page compares."""
    text = (folder / "out/page.html").read_text()
    if not text.rstrip().endswith("</html>"):
        raise ValueError("half a page")
    return "espcn" if "espcn" in text else "esr-fast"


def training(folder: Path) -> str:
    """Tell how far a training is; its checkpoint, weights and metrics must agree."""
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


def sweep(folder: Path) -> str:
    """Tell of which modes and networks a sweep is; the board must stand as it did before."""
    from edgesr.sweep.report import write_sweep_report

    if not as_it_was(folder):
        raise ValueError("power mode and clocks were not put back")
    with tempfile.TemporaryDirectory() as name:
        result = write_sweep_report(folder / "out/sweep", Path(name))
    return ", ".join(f"{cell.model} in {cell.mode}" for cell in result.cells)


def live(folder: Path) -> str:
    """Tell the size of the frames of a recording; the table of its frames must be whole too."""
    frames_of(folder / "out/live.mkv")
    lines = (folder / "out/frames.csv").read_text().splitlines()
    if len(lines) < 2 or {line.count(",") for line in lines} != {lines[0].count(",")}:
        raise ValueError("half a table")
    return size_of(folder / "out/live.mkv")


def nothing(folder: Path) -> str:
    """Tell what is there of a command that writes no file."""
    return ", ".join(path.name for path in (folder / "out").iterdir())
