"""The measuring behind `measure`: image quality set by set, then one interleaved bench of all.

The document it makes has the format `edgesr-table1/1`; README.md says what its fields mean.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.table1.networks import CONTROL, SCALE, STUDENT, TILE, Runnable, control_costs
from edgesr.bench.config import BenchConfig, Wanted
from edgesr.bench.figures import ModelFigures
from edgesr.bench.inputs import read_input
from edgesr.bench.protocol import BenchHooks, run
from edgesr.bench.raw_files import read_raw, write_raw
from edgesr.bench.recording import Recording
from edgesr.bench.result import compute
from edgesr.bench.run_folder import claim_folder
from edgesr.evaluate.datasets import BenchmarkSet
from edgesr.evaluate.evaluate import Score, evaluate
from edgesr.evaluate.metrics import PROTOCOL
from edgesr.evaluate.model import EvaluationRequest, open_evaluated
from edgesr.files import sha256, write_json

SCHEMA = "edgesr-table1/1"
LATENCY_PROTOCOL = (
    f"one {TILE}x{TILE} tile, float32 in host memory to float32 in host memory; all networks in "
    "one run, interleaved in rounds; milliseconds are medians, ratios are of first percentiles, "
    "the calls that nothing else on the machine held up"
)
UNDISTURBED_PERCENTILE = 1
"""Other programs only ever add time, and more of it to a long call than to one that fits between
two switches, so on a busy machine the medians have other ratios than on a quiet one."""

Json = dict[str, Any]


class ScoreFile:
    """Scores that were measured already, so that a stopped run goes on where it was.

    A score belongs to the content of the network's file and of the set's pictures.

    Args:
        path: a JSON file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._scores: dict[str, Json] = json.loads(path.read_text()) if path.is_file() else {}

    def get(self, key: str) -> Json | None:
        """Return the scores of a key, None if it was not measured."""
        return self._scores.get(key)

    def put(self, key: str, scores: Json) -> None:
        """Keep scores on the disk."""
        self._scores[key] = scores
        write_json(self._path, self._scores)


def measure_quality(
    networks: Sequence[Runnable],
    sets: Sequence[BenchmarkSet],
    known: ScoreFile,
    say: Callable[[str], None],
) -> dict[str, dict[str, Json]]:
    """Return network -> set -> scores, bicubic among the networks; each is run as users run it."""
    quality: dict[str, dict[str, Json]] = {network.name: {} for network in networks}
    quality[CONTROL] = {}
    for benchmark in sets:
        pictures = _fingerprint(benchmark)
        for network in networks:
            key = f"{sha256(network.file)} {pictures}"
            scores = known.get(key)
            if scores is None:
                say(f"{benchmark.name}, {network.name}")
                scores = _evaluate(network, benchmark)
                known.put(key, scores)
            quality[network.name][benchmark.name] = scores["network"]
            quality[CONTROL][benchmark.name] = scores[CONTROL]
    return quality


def _fingerprint(benchmark: BenchmarkSet) -> str:
    parts = [
        f"{path.name}:{path.stat().st_size}"
        for pair in benchmark.pairs
        for path in (pair.hr, pair.lr)
        if path is not None
    ]
    return f"{benchmark.name} {benchmark.lr_source} {' '.join(parts)}"


def _evaluate(network: Runnable, benchmark: BenchmarkSet) -> Json:
    with open_evaluated(EvaluationRequest(str(network.file), backend=network.backend)) as subject:
        result = evaluate(network.name, subject.run, subject.enlarge, benchmark)
    return {"network": _scores(result.score), CONTROL: _scores(result.bicubic)}


def _scores(score: Score) -> Json:
    return {"psnr_y_db": round(score.psnr_y_db, 4), "ssim_y": round(score.ssim_y, 5)}


def measure_cost(
    networks: Sequence[Runnable], config: Json, folder: Path, hooks: BenchHooks
) -> Recording:
    """Bench all networks in one interleaved run; its raw files are kept in `folder`."""
    wanted = tuple(Wanted(str(network.file), network.backend) for network in networks)
    bench = BenchConfig(wanted=wanted, input=f"{TILE}x{TILE}", scale=SCALE, **config)
    source = read_input(bench.input)
    claim_folder(folder, overwrite=True)
    recording, _ = run(bench, source, hooks)
    write_raw(folder, recording, pictures={})
    return read_raw(folder)


def document(
    name: str,
    command: str,
    networks: Sequence[Runnable],
    left_out: dict[str, str],
    sets: Sequence[BenchmarkSet],
    quality: dict[str, dict[str, Json]],
    recording: Recording,
    second: Recording | None = None,
) -> Json:
    """Return the results as the JSON document.

    Args:
        name: of the result; the bench's raw files lie in NAME_bench beside it.
        command: how it was made, without paths of this machine.
        networks: measured.
        left_out: network -> reason, of those that were not.
        sets: measured.
        quality: from `measure_quality`.
        recording: from `measure_cost`.
        second: of the same bench, run again.
    """
    parameters, multiply_adds = control_costs()
    rows = [_row(network, quality) for network in networks]
    rows.append(
        {
            "name": CONTROL,
            "file": None,
            "file_sha256": None,
            "weights_sha256": None,
            "precision": "fp32",
            "steps": None,
            "parameters": parameters,
            "multiply_adds": multiply_adds,
            "quality": quality[CONTROL],
        }
    )
    return (
        {
            "schema": SCHEMA,
            "name": name,
            "command": command,
            "scale": SCALE,
            "tile": TILE,
            "quality_protocol": PROTOCOL,
            "latency_protocol": LATENCY_PROTOCOL,
            "sets": [{"name": s.name, "images": len(s.pairs), "lr": s.lr_source} for s in sets],
            "networks": rows,
            "left_out": left_out,
        }
        | cost(rows, recording)
        | {"second_run": None if second is None else again(rows, second)}
    )


def _row(network: Runnable, quality: dict[str, dict[str, Json]]) -> Json:
    return {
        "name": network.name,
        "file": network.file.name,
        "file_sha256": sha256(network.file),
        "weights_sha256": network.weights_sha256,
        "precision": network.precision,
        "steps": network.steps,
        "parameters": network.parameters,
        "multiply_adds": network.multiply_adds,
        "quality": quality[network.name],
    }


def cost(rows: Sequence[Json], recording: Recording) -> Json:
    """Return the part of the document that follows from the bench's raw files alone.

    Args:
        rows: networks, with `name` and `file`.
        recording: of the bench.
    """
    result = compute(recording)
    figures = {
        CONTROL if item.model.is_control else item.model.label: item for item in result.models
    }
    by_name = {row["name"]: figures.get(row["file"] or CONTROL) for row in rows}
    reference = by_name.get(STUDENT) or next(item for item in by_name.values() if item is not None)
    machine, power = result.machine, result.power
    return {
        "started": result.started,
        "machine": {
            "model": machine.board or machine.model,
            "cpu": machine.cpu,
            "cpu_cores": machine.cpu_cores,
            "system": machine.system,
            "l4t": machine.l4t,
            "power_mode": result.before.power_mode,
            "gpu_limit_mhz": result.before.gpu_limit_mhz,
            "packages": machine.packages,
        },
        "is_valid": result.is_valid,
        "invalid_reasons": list(result.invalid_reasons),
        "notes": list(result.notes),
        "power_source": None if power.why_none else f"{power.total} by {power.source}",
        "why_no_power": power.why_none,
        "idle_mw": power.idle_mw,
        "reference": next(name for name, item in by_name.items() if item is reference),
        "cost": {
            name: _cost(item, reference, recording)
            for name, item in by_name.items()
            if item is not None
        },
    }


def again(rows: Sequence[Json], recording: Recording) -> Json:
    """Return what the document holds of a second run, of NAME_second_bench."""
    found = cost(rows, recording)
    ratios = {name: figures["latency_ratio"] for name, figures in found["cost"].items()}
    return {"started": found["started"], "latency_ratio": ratios}


def _cost(item: ModelFigures, reference: ModelFigures, recording: Recording) -> Json:
    power = item.power
    energy: dict[str, float | None] = {
        "power_mw": None,
        "power_uncertainty_mw": None,
        "dynamic_mw": None,
        "energy_j": None,
        "energy_uncertainty_j": None,
        "energy_ratio": None,
    }
    if power is not None:
        energy = {
            "power_mw": power.average_mw,
            "power_uncertainty_mw": power.average_uncertainty_mw,
            "dynamic_mw": power.dynamic_mw,
            "energy_j": power.energy_per_image_j,
            "energy_uncertainty_j": power.energy_per_image_uncertainty_j,
            "energy_ratio": _energy_ratio(item, reference),
        }
    latency = {
        "latency_ms": item.latency_ms.p50,
        "latency_p99_ms": item.latency_ms.p99,
        "latency_ratio": _undisturbed_ms(item, recording) / _undisturbed_ms(reference, recording),
    }
    return {"backend": item.model.backend} | {
        key: None if value is None else float(f"{value:.6g}")
        for key, value in (latency | energy).items()
    }


def _undisturbed_ms(item: ModelFigures, recording: Recording) -> float:
    own = recording.latencies.model == recording.models.index(item.model)
    return float(np.percentile(recording.latencies.latency_ms[own], UNDISTURBED_PERCENTILE))


def _energy_ratio(item: ModelFigures, reference: ModelFigures) -> float | None:
    """Return the median over rounds of the energy over the reference's in the same round."""
    ours = {row.round: row.energy_per_image_j for row in item.rounds}
    theirs = {row.round: row.energy_per_image_j for row in reference.rounds}
    both = ((ours[r], theirs.get(r)) for r in ours)
    ratios = [mine / its for mine, its in both if mine and its]
    return median(ratios) if ratios else None
