"""Commands killed before every single change of the file system that they make.

    python benchmarks/hostile/kills.py export bench -o benchmarks/results/hostile_kills.json

For every change: the state before is put up, the command is killed there (killed.py), the result is
read as the next command would read it and must be the old or the new one, then the command runs
again, must succeed, and must leave what an undisturbed run leaves and nothing else.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgesr.files import write_json

KILLED = Path(__file__).with_name("killed.py")
DATA = Path(__file__).parents[2] / "tests/data"
TRAIN = (
    *("train", "--data", "pictures", "--model", "esr-fast", "--out", "out/run", "--device", "cpu"),
    *("--batch", "2", "--patch", "8", "--log-every", "1", "--checkpoint-every", "2"),
)
BENCH = (
    *("bench", "-m", "esr-fast", "--samples", "5", "--rounds", "1", "--warmup", "0"),
    *("--idle", "0.1", "--window", "0.01", "--power", "none", "--input", "32x32"),
    *("-o", "out/run", "--overwrite"),
)


@dataclass(frozen=True)
class Scenario:
    """A command whose every change is a place to be killed at.

    Attributes:
        before: commands that make the old state.
        command: what is killed.
        again: what is run next; it must succeed.
        state: folder -> what a reader finds there, as a text; it raises where he finds a mixture.
    """

    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    again: tuple[str, ...]
    state: Callable[[Path], str]


def _model(folder: Path) -> str:
    from edgesr.runtime.onnxruntime_session import OnnxRuntimeSession

    session = OnnxRuntimeSession(folder / "out/m.onnx")
    session.close()
    return session.manifest.onnx_sha256


def _engine(folder: Path) -> str:
    from edgesr.engine.manifest import EngineManifest
    from edgesr.files import sha256

    engine = folder / "out/m.engine"
    manifest = EngineManifest.read(engine)
    if sha256(engine) != manifest.engine_sha256:
        raise ValueError("engine and manifest do not belong together")
    return manifest.precision  # a second build of one network is another file


def _run(folder: Path) -> str:
    from edgesr.bench.report import write_report

    with tempfile.TemporaryDirectory() as report:
        result = write_report(folder / "out/run", Path(report))
    return ", ".join(figures.model.label for figures in result.models)


def _picture(folder: Path) -> str:
    from edgesr.imaging.picture import read_picture

    picture = read_picture(folder / "out/big.png")
    return hashlib.sha256(picture.colour.tobytes()).hexdigest()


def _training(folder: Path) -> str:
    import torch

    from edgesr.models.checkpoint import load_metadata, load_network
    from edgesr.train.record import read_metrics

    run = folder / "out/run"
    step = torch.load(run / "checkpoint.pt", weights_only=True)["step"]
    load_network("esr-fast", 4, run / "esr-fast_x4.safetensors")
    weights = int(load_metadata(run / "esr-fast_x4.safetensors")["step"])
    rows = [int(row["step"]) for row in read_metrics(run / "metrics.csv")]
    if rows != list(range(1, len(rows) + 1)) or len(rows) < step or weights > step:
        raise ValueError(f"checkpoint of step {step}, weights of {weights}, rows {rows}")
    return "a run"


SCENARIOS = {
    "export": Scenario(
        (("export", "--model", "esr-fast", "-o", "out/m.onnx"),),
        ("export", "--model", "espcn", "-o", "out/m.onnx"),
        ("export", "--model", "espcn", "-o", "out/m.onnx"),
        _model,
    ),
    "build-engine": Scenario(
        (
            ("export", "--model", "esr-fast", "--tile", "16", "--batch", "1", "-o", "m.onnx"),
            ("build-engine", "m.onnx", "--board", "rtx", "-o", "out/m.engine"),
        ),
        ("build-engine", "m.onnx", "--board", "rtx", "-o", "out/m.engine"),
        ("build-engine", "m.onnx", "--board", "rtx", "-o", "out/m.engine"),
        _engine,
    ),
    "bench": Scenario((BENCH,), (*BENCH, "-m", "fsrcnn"), (*BENCH, "-m", "fsrcnn"), _run),
    "upscale": Scenario(
        (("upscale", "photo.png", "-m", "esr-fast", "-o", "out/big.png"),),
        ("upscale", "photo.png", "-m", "espcn", "-o", "out/big.png", "--overwrite"),
        ("upscale", "photo.png", "-m", "espcn", "-o", "out/big.png", "--overwrite"),
        _picture,
    ),
    "train": Scenario(
        ((*TRAIN, "--steps", "2"),),
        (*TRAIN, "--steps", "4", "--resume"),
        (*TRAIN, "--steps", "4", "--resume"),
        _training,
    ),
}


def edgesr(folder: Path, *command: str, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder; with `kill_at` it is killed before that change of `out/`."""
    arguments = [sys.executable, str(KILLED), str(kill_at), "out", *command]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        arguments, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )


def prepare(folder: Path, scenario: Scenario) -> None:
    """Make the old state of a scenario in an empty folder."""
    (folder / "out").mkdir()
    (folder / "pictures").mkdir()
    shutil.copy(DATA / "photo.png", folder / "photo.png")
    shutil.copy(DATA / "photo.png", folder / "pictures/photo.png")
    for command in scenario.before:
        done = edgesr(folder, *command)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr}")


def undisturbed(old: Path, new: Path, scenario: Scenario) -> list[str]:
    """Make the new state of the old one; return the changes that it takes, in order."""
    from killed import PREFIX

    shutil.copytree(old, new)
    done = edgesr(new, *scenario.command)
    if done.returncode:
        raise RuntimeError(done.stderr)
    lines = done.stderr.splitlines()
    return [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]


def listing(folder: Path) -> set[str]:
    """Return every path below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def judge(old: Path, new: Path, scenario: Scenario, kill_at: int) -> str:
    """Kill a command at one change of a copy of the old state.

    Args:
        old: the state before.
        new: the state after the undisturbed command.
        scenario: what is killed.
        kill_at: number of the change.

    Returns:
        "" or what was wrong.
    """
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy"
        shutil.copytree(old, copy)
        killed = edgesr(copy, *scenario.command, kill_at=kill_at)
        if killed.returncode != -9:
            return f"it was not killed: exit code {killed.returncode}, {killed.stderr[-500:]}"
        try:
            found = scenario.state(copy)
        except Exception as error:
            return f"after the kill: {type(error).__name__}: {error}"
        if found not in (scenario.state(old), scenario.state(new)):
            return f"after the kill: {found}"
        again = edgesr(copy, *scenario.again)
        if again.returncode:
            return f"the next run failed: {again.stderr[-500:]}"
        if scenario.state(copy) != scenario.state(new):
            return "the next run gave something else"
        left = listing(copy / "out") ^ listing(new / "out")
        return f"left over or lost: {sorted(left)}" if left else ""


def sample(count: int, at_most: int | None) -> list[int]:
    """Return numbers from 1 to `count`, evenly apart; all of them where no limit is given."""
    if at_most is None or at_most >= count:
        return list(range(1, count + 1))
    return sorted({round(1 + at * (count - 1) / max(1, at_most - 1)) for at in range(at_most)})


def main() -> None:
    """Kill at every change of the commands asked for and write a summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="+", choices=list(SCENARIOS))
    parser.add_argument("--at-most", type=int, help="Kill at so many changes, evenly apart.")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    summary = {}
    for name in args.commands:
        scenario = SCENARIOS[name]
        with tempfile.TemporaryDirectory() as root:
            old, new = Path(root) / "old", Path(root) / "new"
            old.mkdir()
            prepare(old, scenario)
            made = undisturbed(old, new, scenario)
            chosen = sample(len(made), args.at_most)
            wrong = [
                {"change": f"{number} {made[number - 1]}", "wrong": verdict}
                for number in chosen
                if (verdict := judge(old, new, scenario, number))
            ]
        summary[name] = {"changes": made, "killed_at": chosen, "wrong": wrong}
        write_json(args.output, summary)
        print(f"{name}: {len(chosen)} of {len(made)} changes, {len(wrong)} wrong", flush=True)


if __name__ == "__main__":
    main()
