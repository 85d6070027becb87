"""Runs of `edgesr train` and `edgesr distill`, each with what `edgesr eval --json` printed of it.

For shapes/directions.py and distillation.py. A run's folder holds its single file of weights, and
beside it the `eval.json` of Set5, Set14 and BSD100.
"""

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.training.results import METRICS, Json, collect, read_log
from benchmarks.training.runs import RESULT, SCHEMA, say
from edgesr.errors import DataError
from edgesr.files import sha256, write_json

SETS = ("Set5", "Set14", "BSD100")
EVAL, WEIGHTS = "eval.json", "*.safetensors"
_SCORES = ("images", "psnr_y_db", "ssim_y", "bicubic_psnr_y_db", "bicubic_ssim_y")

Judge = Callable[[Json], str | None]
"""(the last invocation of config.json) -> why the run has no place in a table; None if it has."""


def take_all(runs: Path, results: Path, prefix: str, least_steps: int, judge: Judge) -> None:
    """Copy every finished run to `results`/training/PREFIX + its name, without weights; say so.

    Raises:
        DataError: there is no such folder, or an eval.json is of something else.
    """
    if not runs.is_dir():
        raise DataError("no such folder", where=runs, fix="--runs FOLDER_OF_RUNS")
    for run in sorted(path.parent for path in runs.glob("*/config.json")):
        reason = judge(read_log(run).invocations[-1]) or why_unfinished(run, least_steps)
        if reason is not None:
            say(f"left {run}: {reason}")
            continue
        found = result(run, f"{prefix}{run.name}")  # before anything is written
        target = collect(run, results / "training" / found["run"], [METRICS])
        write_json(target / RESULT, found)
        say(f"took over {target}")


def why_unfinished(run: Path, least_steps: int) -> str | None:
    """Return what a run lacks to be a result; None where it has all."""
    config, rows = (log := read_log(run)).config, log.rows
    if config["steps"] is None or config["steps"] < least_steps:
        return f"it is of fewer than {least_steps:,} steps, or ended by the clock"
    if not rows or rows[-1]["step"] != config["steps"]:
        return f"it stopped before its {config['steps']:,} steps"
    if len(list(run.glob(WEIGHTS))) != 1:
        return f"it has no single {WEIGHTS}"
    if not (run / EVAL).is_file() or not (run / EVAL).stat().st_size:
        return f"it has no {EVAL}"
    return None


def result(run: Path, name: str) -> Json:
    """Return a run's result.json from its weights and what `edgesr eval --json` printed of them.

    Raises:
        DataError: eval.json is of another network, or misses a set.
    """
    from edgesr.models import get_network
    from edgesr.models.network import parameter_count

    config = read_log(run).config
    (weights,) = run.glob(WEIGHTS)
    try:
        documents = json.loads((run / EVAL).read_text())
    except ValueError as error:
        raise DataError(f"is no JSON ({error})", where=run / EVAL) from error
    documents = documents if isinstance(documents, list) else [documents]  # of a single set
    scored = {each["protocol"]["dataset"]: each for each in documents}
    wrong = {each["model"] for each in scored.values()} - {config["model"]}
    missing = [each for each in SETS if each not in scored]
    if wrong or missing:
        what = f"is of {', '.join(wrong)}" if wrong else f"has no {', '.join(missing)}"
        raise DataError(what, where=run / EVAL, fix=f"edgesr eval {config['model']} --data SETS")
    return {
        "schema": SCHEMA,
        "run": name,
        "network": config["model"],
        "parameters": parameter_count(get_network(config["model"]).module(config["scale"])),
        "steps": config["steps"],
        "weights_sha256": sha256(weights),
        "scores": {each: {key: round(scored[each][key], 5) for key in _SCORES} for each in SETS},
    }
