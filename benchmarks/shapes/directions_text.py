"""The block of TRAINING.md about the student's shape with directions and locality. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.shapes.student_text import WITHIN_DB
from benchmarks.shared.markdown import listed, markdown
from benchmarks.training.evaluated import SETS
from benchmarks.training.recipe import recipe
from benchmarks.training.results import Finished
from edgesr.bench.text import NONE, significant

Json = dict[str, Any]
Found = Mapping[str, Sequence[Finished]]
"""Network -> its finished runs, one a seed."""

FAMILY = "mambalitesr:"
FIRST = "D32-G4-B2-N1-SKIP-TURN-C3"
SHAPES = (
    FIRST,
    "D32-G4-B2-N1-SKIP",
    "D32-G4-B2-N1-SKIP-TURN",
    "D32-G4-B2-N1-SKIP-C3",
    "D32-G4-B2-N2-SKIP-TURN-C3",
    "D32-G4-B2-N4-SKIP-TURN-C3",
    "D32-G4-B1-N1-SKIP-TURN-C3",
    "D32-G4-B2-N1-SKIP-TURN-C3-SEP",
    "D32-G4-B2-N1-SKIP-TURN-C3-GATE",
    "D36-G4-B2-N1-SKIP-TURN-C3",
    "D40-G4-B1-N1-SKIP-TURN-C3",
    "D40-G4-B2-N1-SKIP-TURN-C3-SEP",
    "D40-G4-B2-N1-SKIP-TURN-C3-SEP-GATE",
    "D48-G4-B1-N1-SKIP-TURN-C3-SEP",
    "D48-G4-B1-N1-SKIP-TURN-C3-SEP-GATE",
)
"""What stands behind FAMILY: directions, 3x3, state, scans, separable, gate, embedding."""

MOST_PARAMETERS = 150_000
CHANCE_DB = 0.03  # smaller differences need a second seed
TAKE = "python -m benchmarks.shapes.directions take --runs RUNS"
TIME = "python -m benchmarks.shapes.directions time"


@dataclass(frozen=True)
class Candidate:
    """A shape with what is known of it.

    Attributes:
        shape: hyper-parameters.
        size: parameters, and multiply-adds of a 64x64 tile.
        runs: finished trainings, one a seed.
        onnx_ms: of a 64x64 tile in ONNX Runtime with one thread; None: not measured.
        device_ms: of a 64x64 tile in TensorRT on a GPU; None: not measured.
    """

    shape: str
    size: tuple[int, int]
    runs: Sequence[Finished]
    onnx_ms: float | None
    device_ms: float | None

    def psnr_y_db(self, name: str) -> float | None:
        """Return the mean of the seeds on a set; None where nothing was trained."""
        scores = [run.result["scores"][name]["psnr_y_db"] for run in self.runs]
        return fmean(scores) if scores else None

    @property
    def mean_db(self) -> float | None:
        """Mean over the sets."""
        return fmean(self.psnr_y_db(name) or 0.0 for name in SETS) if self.runs else None


def shapes(
    found: Found,
    latencies: Json | None,
    engines: Json | None,
    size: Callable[[str], tuple[int, int]],
) -> str:
    """Return the table with what it decides.

    Args:
        found: finished runs.
        latencies: results/shapes/directions.json, by `directions.py time`; None: none was timed.
        engines: results/tensorrt/shapes.json: `device` and `device_ms` by network; None: no GPU
            has measured yet.
        size: network -> parameters, multiply-adds of a tile.
    """
    on_cpu = {} if latencies is None else latencies["latency_ms"]
    on_gpu = {} if engines is None else engines["device_ms"]
    candidates = [
        Candidate(shape, size(name), found.get(name, ()), on_cpu.get(name), on_gpu.get(name))
        for shape, name in ((shape, f"{FAMILY}{shape}") for shape in SHAPES)
    ]
    trained = [each for each in candidates if each.mean_db is not None]
    if not trained:
        return f"- Not run yet: {listed([f'`{shape}`' for shape in SHAPES])}.\n"
    best_db = max(each.mean_db or 0.0 for each in trained)
    most, fastest = picked(candidates)
    header = ["shape", "seeds", "parameters", "multiply-adds", *(f"{name} dB" for name in SETS)]
    header += ["mean to the best dB", "ONNX Runtime ms", "TensorRT device_ms", "by the rule"]
    rows = [
        [
            f"`{each.shape}`",
            str(len(each.runs)),
            f"{each.size[0]:,}",
            f"{each.size[1] / 1e6:,.0f} M",
            *(_decibels(each.psnr_y_db(name)) for name in SETS),
            NONE if each.mean_db is None else f"{each.mean_db - best_db:.3f}",
            significant(each.onnx_ms, 3),
            significant(each.device_ms, 3),
            _mark(each, most, fastest),
        ]
        for each in candidates
    ]
    lines = [_verdict(candidates, most, fastest, best_db), "", markdown(header, rows), ""]
    return "\n".join(lines + _notes(candidates, latencies, engines)) + "\n"


def picked(candidates: Sequence[Candidate]) -> tuple[Candidate | None, Candidate | None]:
    """Return the best within the first one's device time, and the fastest near the best.

    A candidate without quality, without device time or above MOST_PARAMETERS takes no part; where
    the first has no device time, nothing is picked.
    """
    first = candidates[0]
    if first.device_ms is None:
        return None, None
    limit_ms = first.device_ms
    rated = [
        (each.mean_db, each.device_ms, each)
        for each in candidates
        if each.mean_db is not None
        and each.device_ms is not None
        and each.size[0] <= MOST_PARAMETERS
    ]
    in_time = [(db, -ms, each) for db, ms, each in rated if ms <= limit_ms]
    most = max(in_time, key=lambda item: item[:2])[2] if in_time else None
    best_db = max((db for db, _, _ in rated), default=0.0)
    near = [(ms, -db, each) for db, ms, each in rated if db >= best_db - WITHIN_DB - 1e-9]
    fastest = min(near, key=lambda item: item[:2])[2] if near else None
    return most, fastest


def _verdict(
    candidates: Sequence[Candidate], most: Candidate | None, fastest: Candidate | None, best: float
) -> str:
    if most is None or fastest is None:
        leader = next(each for each in candidates if each.mean_db == best)
        return (
            "**Not decided yet: device times of TensorRT are missing.** The highest mean so far, "
            f"{best:.3f} dB, is that of `{leader.shape}`."
        )
    told = [
        f"{what}: `{FAMILY}{each.shape}`, {significant(each.device_ms, 3)} ms, "
        f"{best - (each.mean_db or 0.0):.3f} dB behind the best"
        for what, each in (("most dB in the first one's time", most), ("fastest", fastest))
    ]
    return f"**By this rule, {'; '.join(told)}.**"


def _notes(
    candidates: Sequence[Candidate], latencies: Json | None, engines: Json | None
) -> list[str]:
    runs = [run for each in candidates for run in each.runs]
    machines = listed(list(dict.fromkeys(run.setting for run in runs)))
    recipes = [recipe(run.config | {"model": "NETWORK", "seed": 0}) for run in runs]
    lines = [f"- Trained on {machines}.", f"- By `{'`, `'.join(dict.fromkeys(recipes))}`."]
    if all(len(each.runs) < 2 for each in candidates):
        lines.append(
            "- **One seed of each was run.** Differences under "
            f"{CHANCE_DB} dB may be chance, and do not tell two shapes apart."
        )
    missing = [f"`{each.shape}`" for each in candidates if not each.runs]
    if missing:
        lines.append(
            f"- Still to be trained: {listed(missing)}. `{TAKE}` takes finished runs over."
        )
    if latencies is None:
        lines.append(f"- ONNX Runtime was not timed yet: `{TIME}`.")
    else:
        lines.append(
            f"- ONNX Runtime: {latencies['protocol']}; {latencies['machine']}. "
            f"Made by `{latencies['command']}`."
        )
    lines.append(
        "- TensorRT was not timed yet."
        if engines is None
        else f"- TensorRT: FP16 engine, one 64x64 tile, on {engines['device']}."
    )
    return lines


def _mark(each: Candidate, most: Candidate | None, fastest: Candidate | None) -> str:
    if each == most:
        return "**both**" if each == fastest else "**most dB in time**"
    return "**fastest**" if each == fastest else ""


def _decibels(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"
