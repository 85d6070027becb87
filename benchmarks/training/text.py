"""The blocks of TRAINING.md about the paper's training tables. Pure.

A run that has no result yet stands in its table as not run.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from benchmarks.shared.markdown import listed, markdown, score_cell
from benchmarks.shared.paper import PAPER
from benchmarks.training.plan import PaperRun, Plan, paper_runs
from benchmarks.training.results import Finished
from edgesr.bench.text import NONE, significant

Json = dict[str, Any]
Found = Mapping[str, Finished]
"""Name of a run -> the run, of those that are finished."""

SETS = ("Set5", "Set14", "BSD100")
NOT_RUN = "not run"
COMMAND = "python -m benchmarks.training.tables run --data PHOTOS --sets SETS --runs RUNS"


def table3(plan: Plan, found: Found, parameters: Callable[[str], int]) -> str:
    """Return Table III: the paper's rows, and what was measured here below each.

    Args:
        plan: networks and numbers.
        found: finished runs.
        parameters: counts those of a network by its name.
    """
    runs = _of(plan, "table3")
    published = {row["rank"]: row for row in PAPER["table3"]["rows"]}
    header = ["network", "rank", "parameters", "iterations", *(f"{name} dB" for name in SETS)]
    header += ["DIV2K dB", "power W", "ms an iteration", "J an iteration"]
    rows = []
    for run in runs:
        rows.append(
            [
                f"**{run.model}**",
                f"{run.rank}",
                f"{parameters(run.model):,}",
                f"{run.steps:,}",
                *_psnr(found.get(run.name)),
                NONE,
                *_costs(found.get(run.name)),
            ]
        )
        if run.rank in published:
            row = published[run.rank]
            rows.append(
                [
                    f"*paper: {row['name']}*",
                    f"{row['rank']}",
                    row["parameters"],
                    f"{row['steps']:,}",
                    *[NONE] * len(SETS),
                    f"{row['psnr_y_db']:.2f}",
                    f"{row['power_w']}",
                    NONE,
                    NONE,
                ]
            )
    lines = [*_verdict3(runs, found), markdown(header, rows)]
    return _block(lines, runs, found, "table3")


def _verdict3(runs: Sequence[PaperRun], found: Found) -> list[str]:
    ours = [found[run.name] for run in runs if run.name in found]
    if len(ours) < 2:
        return []
    high, low = ours[0], ours[1]
    (paper_high, paper_low) = PAPER["table3"]["rows"]
    parts = []
    if high.power_w is None or low.power_w is None:
        parts.append("Power was not read: no NVIDIA card answered.")
    else:
        paper = _change(paper_high["power_w"], paper_low["power_w"])
        parts.append(
            f"Rank {runs[1].rank} draws {low.power_w:.0f} W where rank {runs[0].rank} draws "
            f"{high.power_w:.0f} W "
            f"({_change(high.power_w, low.power_w)}; the paper: {paper})."
        )
        joules = [run.step_energy_j for run in (high, low)]
        if joules[0] is not None and joules[1] is not None:
            parts.append(f"Energy of an iteration: {_change(joules[0], joules[1])}.")
    db = _set5(low) - _set5(high)
    paper_db = paper_low["psnr_y_db"] - paper_high["psnr_y_db"]
    parts.append(f"PSNR on Set5: {db:+.2f} dB (the paper, on its pictures: {paper_db:+.2f} dB).")
    return [f"**{' '.join(parts)}**", ""]


def table4(plan: Plan, found: Found) -> str:
    """Return Table IV: PSNR of the student over alpha, each seed, with the paper's beside it."""
    published = PAPER["table4"]["psnr_y_db"]
    header = ["alpha", *(f"{name} dB" for name in SETS), "paper, DIV2K dB"]
    rows, means = [], {}
    runs = _of(plan, "table4")
    for run in runs:
        if run.alpha is None:
            rows.append([f"teacher, rank {run.rank}", *_psnr(found.get(run.name)), NONE])
            continue
        seeds = seeds_of(run, found)
        cells = [_psnr(each) for each in seeds] or [_psnr(None)]
        columns = [", ".join(column) for column in zip(*cells, strict=True)]
        rows.append([f"{run.alpha:.1f}", *columns, _paper_db(published, run.alpha)])
        if seeds:
            means[run.alpha] = fmean(map(_set5, seeds))
    lines = [*_verdict4(runs, found, means), markdown(header, rows)]
    if any(len(seeds_of(run, found)) > 1 for run in runs):
        lines += ["", "Several figures in a cell: the same run from other seeds."]
    return _block(lines, runs, found, "table4")


def _verdict4(runs: Sequence[PaperRun], found: Found, means: Mapping[float, float]) -> list[str]:
    if len(means) < 2:
        return []
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    published = PAPER["table4"]["psnr_y_db"]
    dip = max(published.values()) - min(published.values())
    text = (
        f"The best alpha is {best:.1f} ({means[best]:.2f} dB on Set5), the worst {worst:.1f} "
        f"({means[worst]:.2f} dB): a spread of {means[best] - means[worst]:.2f} dB, where the "
        f"paper has {dip:.2f} dB."
    )
    spreads = [
        max(scores) - min(scores)
        for run in runs
        if len(scores := [_set5(each) for each in seeds_of(run, found)]) > 1
    ]
    if spreads:
        text += f" Seeds of one alpha differ by up to {max(spreads):.2f} dB."
    return [f"**{text}**", ""]


def row2500(plan: Plan, found: Found, parameters: Callable[[str], int]) -> str:
    """Return the row of Tables I and II: the distilled student after 2,500 iterations."""
    runs = _of(plan, "row2500")
    header = ["network", "parameters", "iterations", *(f"{name} dB / SSIM" for name in SETS)]
    rows = []
    for run in sorted(runs, key=lambda run: run.alpha is None):  # the student first
        scores = found[run.name].result["scores"] if run.name in found else None
        cells = [NOT_RUN if scores is None else score_cell(scores.get(name)) for name in SETS]
        what = "teacher" if run.alpha is None else f"distilled at alpha {run.alpha:.1f}"
        rows.append(
            [f"**{run.model}**, {what}", f"{parameters(run.model):,}", f"{run.steps:,}", *cells]
        )
    (published,) = (row for row in PAPER["table1"]["rows"] if row["name"] == "MambaLiteSR")
    (of_size,) = (row for row in PAPER["table2"]["rows"] if row["name"] == "MambaLiteSR")
    cells = [f"{psnr:.2f} / {ssim:.3f}" for psnr, ssim in map(published["quality"].get, SETS)]
    rows.insert(1, ["*paper: MambaLiteSR*", of_size["parameters"], f"{of_size['steps']:,}", *cells])
    done = next((found[run.name] for run in runs if run.alpha and run.name in found), None)
    lines = []
    if done is not None:
        scores = done.result["scores"]
        rows.append(["bicubic", "0", NONE, *(score_cell(_bicubic(scores, name)) for name in SETS)])
        apart = scores["Set5"]["psnr_y_db"] - scores["Set5"]["bicubic_psnr_y_db"]
        side = "above" if apart >= 0 else "below"
        lines = [f"**After {plan.row_steps:,} iterations the student is {abs(apart):.2f} dB {side} "
                 "bicubic on Set5.**", ""]  # fmt: skip
    return _block([*lines, markdown(header, rows)], runs, found, "row2500")


def seeds_of(run: PaperRun, found: Found) -> list[Finished]:
    """Return a run and its repetitions from other seeds, by seed."""
    names = [name for name in found if name == run.name or name.startswith(f"{run.name}-seed")]
    return [found[name] for name in sorted(names, key=lambda n: int(n.partition("-seed")[2] or 0))]


def _of(plan: Plan, table: str) -> list[PaperRun]:
    return [run for run in paper_runs(plan) if run.table == table]


def _block(lines: list[str], runs: Sequence[PaperRun], found: Found, table: str) -> str:
    """Join the lines of a table, with what was measured on what, and what was not run."""
    facts = []
    trained = {run.name: found[run.name].setting for run in runs if run.name in found}
    for setting in dict.fromkeys(trained.values()):
        names = [name for name, its in trained.items() if its == setting]
        facts.append(f"Trained on {setting}: {listed(names)}.")
    missing = [run.name for run in runs if run.name not in found]
    if missing:
        facts.append(f"Not run yet: {listed(missing)}. `{COMMAND} --only {table}` runs them.")
    return "\n".join([*lines, "", *(f"- {fact}" for fact in facts)]) + "\n"


def _psnr(run: Finished | None) -> list[str]:
    if run is None:
        return [NOT_RUN] * len(SETS)
    scores = run.result["scores"]
    return [f"{scores[name]['psnr_y_db']:.2f}" if name in scores else NONE for name in SETS]


def _costs(run: Finished | None) -> list[str]:
    if run is None:
        return [NOT_RUN] * 3
    return [significant(value, 3) for value in (run.power_w, run.step_ms, run.step_energy_j)]


def _set5(run: Finished) -> float:
    psnr_y_db: float = run.result["scores"]["Set5"]["psnr_y_db"]
    return psnr_y_db


def _bicubic(scores: Json, name: str) -> Json | None:
    found = scores.get(name)
    if found is None:
        return None
    return {key: found[f"bicubic_{key}"] for key in ("psnr_y_db", "ssim_y")}


def _paper_db(published: Mapping[str, float], alpha: float) -> str:
    value = published.get(f"{alpha:.1f}")
    return NONE if value is None else f"{value:.2f}"


def _change(before: float, after: float) -> str:
    return f"{100 * (after / before - 1):+.0f} %"
