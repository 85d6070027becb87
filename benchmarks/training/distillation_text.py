"""The blocks of TRAINING.md about what a teacher gives a student. Pure.

Runs are compared that differ in nothing but teacher, alpha, feature affinity and seed: one table
for each student, recipe and set of pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from benchmarks.shared.markdown import listed, markdown
from benchmarks.training.evaluated import SETS
from benchmarks.training.recipe import recipe
from benchmarks.training.results import Finished, Json
from edgesr.bench.text import NONE, significant

TEACHERS = ("teacher", "dvmsr", "smfanet-plus")
ALPHAS = (0.2, 0.5, 0.8)
AFFINITY = "smfanet-plus"  # the teacher whose features are compared once
PAYS_DB = 0.03  # the mean gain from which a teacher is worth its cost
TAKE = "python -m benchmarks.training.distillation take --runs RUNS"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Lesson:
    """What a student learnt from beside the truth; without a teacher, as it stands.

    Attributes:
        teacher: its network; empty for none.
        affinity: weight of the feature affinity; None: any that was run.
        alpha: share of the teacher's outputs.
        runs: when the teacher ran: `once` or `every step`.
        weights: begin of the SHA-256 of its file; empty where config.json has none.
    """

    teacher: str = ""
    affinity: float | None = 0.0
    alpha: float | None = 0.0
    runs: str = "once"
    weights: str = ""


NONE_TAUGHT = Lesson()


@dataclass(frozen=True)
class Row:
    """The runs of one lesson, one a seed; none where it was not run."""

    lesson: Lesson
    seeds: Sequence[Finished]

    def psnr_y_db(self, name: str) -> float:
        """Return the mean over the seeds on a set."""
        return fmean(run.result["scores"][name]["psnr_y_db"] for run in self.seeds)

    @property
    def mean_db(self) -> float | None:
        """Mean over sets and seeds."""
        return fmean(map(self.psnr_y_db, SETS)) if self.seeds else None

    @property
    def spread_db(self) -> float | None:
        """The best seed's mean over the worst one's; None of a single seed."""
        means = [fmean(run.result["scores"][s]["psnr_y_db"] for s in SETS) for run in self.seeds]
        return max(means) - min(means) if len(means) > 1 else None

    @property
    def step_ms(self) -> float | None:
        """Mean time of a step over the seeds that have one."""
        times = [run.step_ms for run in self.seeds if run.step_ms is not None]
        return fmean(times) if times else None


@dataclass(frozen=True)
class Table:
    """Runs of one student, recipe and set of pictures.

    Attributes:
        rows: the first is that without a teacher.
        recipe: the command without a teacher.
    """

    rows: Sequence[Row]
    recipe: str

    @property
    def base(self) -> Row:
        """What was trained without a teacher."""
        return self.rows[0]

    @property
    def best(self) -> Row | None:
        """The taught row of the highest mean, where there is any."""
        taught = [row for row in self.rows[1:] if row.seeds]
        return max(taught, key=lambda row: row.mean_db or 0.0) if taught else None

    def gain_db(self, row: Row) -> float | None:
        """Return how far the mean of a row is above that without a teacher."""
        if row.mean_db is None or self.base.mean_db is None:
            return None
        return row.mean_db - self.base.mean_db


def lesson(invocation: Json) -> Lesson | None:
    """Return what a run learnt from, by config.json; None where that does not name the teacher."""
    told = invocation["config"]["distillation"]
    affinity = 0.0 if told is None else told.get("feature_affinity", 0.0)
    if told is None or (told["alpha"] == 0 and affinity == 0):
        return NONE_TAUGHT
    teacher = invocation.get("teacher") or told["network"]
    if teacher is None:
        return None
    runs, weights = invocation.get("teacher_runs", "every step"), invocation.get("teacher_sha256")
    return Lesson(teacher, affinity, told["alpha"], runs, (weights or "")[:8])


def tables(found: Sequence[Finished]) -> list[Table]:
    """Return the runs by student, recipe and pictures; the one of most steps and runs first."""
    groups: dict[tuple[str, int, float], list[Finished]] = {}
    for run in found:
        last = run.invocations[-1]
        plain = recipe(run.config | {"seed": 0, "distillation": None})
        groups.setdefault((plain, last["pictures"], last["hr_megapixels"]), []).append(run)
    ordered = sorted(
        groups.items(), key=lambda item: (-item[1][0].config["steps"], -len(item[1]), item[0])
    )
    return [Table(_rows(runs), key[0]) for key, runs in ordered]


def _rows(runs: Sequence[Finished]) -> list[Row]:
    """Return those run and those planned, teacher by teacher."""
    taught: dict[Lesson, list[Finished]] = {NONE_TAUGHT: []}
    for run in sorted(runs, key=lambda run: run.config["seed"]):
        found = lesson(run.invocations[-1])
        assert found is not None  # `take` leaves those
        taught.setdefault(found, []).append(run)
    ours = [each.teacher for each in taught if each.teacher not in ("", *TEACHERS)]
    first = [*dict.fromkeys(ours)] or [TEACHERS[0]]
    teachers = list(dict.fromkeys([*first, *TEACHERS[1:], *(each.teacher for each in taught)]))
    for teacher in teachers:
        for alpha in ALPHAS if teacher else ():
            if not any((t.teacher, t.affinity, t.alpha) == (teacher, 0.0, alpha) for t in taught):
                taught[Lesson(teacher, 0.0, alpha)] = []
    if not any(each.affinity for each in taught):
        taught[Lesson(AFFINITY, None, None, "every step")] = []

    def place(each: Lesson) -> tuple[bool, bool, int, float, float, str, str]:
        last = each.affinity is None or each.affinity > 0
        number = teachers.index(each.teacher) if each.teacher else -1
        shares = each.alpha or 0, each.affinity or 0
        return each != NONE_TAUGHT, last, number, *shares, each.runs, each.weights

    return [Row(each, taught[each]) for each in sorted(taught, key=place)]


def verdict(found: Sequence[Finished]) -> str:
    """Return the first line of the page: whether any teacher is worth it."""
    measured = [
        (table, best, gain)
        for table in tables(found)
        if (best := table.best) is not None and (gain := table.gain_db(best)) is not None
    ]
    if not measured:
        return "**Whether a teacher makes the student better was not measured yet.**\n"
    table, best, gain = measured[0]
    steps = table.base.seeds[0].config["steps"]
    what = f"{_name(best.lesson)}, {gain:+.3f} dB over no teacher"
    over = f"mean of {listed(SETS)}, {steps:,} steps each"
    if gain >= PAYS_DB:
        text = f"The student learns from a teacher: {what} ({over})."
    else:
        text = f"No teacher gains {PAYS_DB} dB: the best is {what} ({over})."
    few = min(len(best.seeds), len(table.base.seeds))
    if few < 2 and abs(gain) < 2 * PAYS_DB:
        text += " One of the two has a single seed, so this may be chance."
    return f"**{text}** [The table](#what-a-teacher-gives).\n"


def distillation(found: Sequence[Finished]) -> str:
    """Return the tables."""
    if not (made := tables(found)):
        return f"- Not run yet. `{TAKE}` takes finished runs over.\n"
    return "\n".join(_shown(table) for table in made)


def _shown(table: Table) -> str:
    header = ["teacher", "alpha", "feature affinity", "the teacher runs", "seeds"]
    header += [*(f"{name} dB" for name in SETS), "mean dB", "gain dB", "seeds apart dB", "step ms"]
    rows = [_cells(table, row) for row in table.rows]
    runs = [run for row in table.rows for run in row.seeds]
    notes = [
        f"- By `{table.recipe}`, with the teacher's options of `edgesr distill`.",
        "- Behind a teacher's name stands the begin of its file's SHA-256, where it is known.",
        f"- Trained on {listed(list(dict.fromkeys(run.setting for run in runs)))}.",
    ]
    missing = [_name(row.lesson) for row in table.rows if not row.seeds]
    if missing:
        notes.append(
            f"- Still to be trained: {listed(missing)}. `{TAKE}` takes finished runs over."
        )
    return "\n".join([markdown(header, rows, words=4), "", *notes]) + "\n"


def _cells(table: Table, row: Row) -> list[str]:
    told = row.lesson
    weights = f" {told.weights}" if told.weights else ""
    first = [f"`{told.teacher}`{weights}", _share(told.alpha), _share(told.affinity), told.runs]
    if told == NONE_TAUGHT:
        first = ["none", "0", "0", NONE]
    if not row.seeds:
        return [*first, "0", *[NOT_RUN] * len(SETS), *[NONE] * 4]
    gain = None if row is table.base else table.gain_db(row)
    return [
        *first,
        f"{len(row.seeds)}",
        *(f"{row.psnr_y_db(name):.2f}" for name in SETS),
        f"{row.mean_db:.3f}",
        NONE if gain is None else f"{gain:+.3f}",
        NONE if row.spread_db is None else f"{row.spread_db:.3f}",
        significant(row.step_ms, 3),
    ]


def _name(told: Lesson) -> str:
    if told == NONE_TAUGHT:
        return "no teacher"
    alpha = "" if told.alpha is None else f" at alpha {told.alpha:g}"
    features = "" if told.affinity == 0 else " with feature affinity"
    return f"`{told.teacher}`{alpha}{features}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:g}"
