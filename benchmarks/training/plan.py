"""The runs behind the paper's training tables, at the paper's settings.

Source: MambaLiteSR, section V-A and Tables I to IV. What the paper leaves open is chosen here and
named in TRAINING.md.
"""

from dataclasses import dataclass
from pathlib import Path

from edgesr.train.config import Distillation, TrainConfig

TABLES = ("table3", "table4", "row2500")


@dataclass(frozen=True)
class Plan:
    """The networks and numbers of all runs; the defaults are the paper's.

    Attributes:
        teacher: name of the teacher, a field for its rank.
        student: name of the student.
        ranks: of Table III.
        distilled_rank: of the teacher that students learn from: the paper goes on with rank 2.
        alphas: of Table IV and figure 5; the paper prints 0.2, 0.4, 0.6 and 0.8, its baseline
            has 0.5, and 0 and 1 are the ends.
        rank_steps: iterations of Table III and figure 4.
        alpha_steps: iterations of Table IV and figure 5, teacher and student each.
        row_steps: iterations of the row of Tables I and II, teacher and student each.
        row_alpha: of that row.
        batch: patches in an iteration.
        patch: side of an LR patch in pixels.
        patches_per_image: random patches from every picture drawn.
    """

    teacher: str = "mambalitesr:D60-G8-B2-N16-R{rank}"
    student: str = "student-paper"
    ranks: tuple[int, ...] = (30, 2)
    distilled_rank: int = 2
    alphas: tuple[float, ...] = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0)
    rank_steps: int = 1500
    alpha_steps: int = 1000
    row_steps: int = 2500
    row_alpha: float = 0.8
    batch: int = 128
    patch: int = 64
    patches_per_image: int = 8


@dataclass(frozen=True)
class PaperRun:
    """One run.

    Attributes:
        name: of its folder.
        table: `table3`, `table4` or `row2500`.
        model: the network that is trained.
        steps: iterations.
        rank: of a teacher's projections; None for a student.
        alpha: share of the teacher; None for a teacher.
        teacher: name of the run it learns from.
        seed: of the initial weights and the crops.
        validate_every: iterations between validations.
        log_every: iterations between rows of metrics.csv.
    """

    name: str
    table: str
    model: str
    steps: int
    rank: int | None = None
    alpha: float | None = None
    teacher: str | None = None
    seed: int = 0
    validate_every: int = 250
    log_every: int = 50


def paper_runs(plan: Plan, seed: int = 0) -> list[PaperRun]:
    """Return every run, teachers before those that learn from them.

    Another seed than 0 repeats the students of Table IV, with the same teacher: it tells how much
    of a difference between two alphas is chance.
    """
    students = [
        PaperRun(
            name=f"table4-alpha{alpha:.1f}" + (f"-seed{seed}" if seed else ""),
            table="table4",
            model=plan.student,
            steps=plan.alpha_steps,
            alpha=alpha,
            teacher="table4-teacher",
            seed=seed,
        )
        for alpha in plan.alphas
    ]
    teacher = plan.teacher.format(rank=plan.distilled_rank)
    table4_teacher = PaperRun(
        "table4-teacher", "table4", teacher, plan.alpha_steps, plan.distilled_rank
    )
    if seed:
        return [table4_teacher, *students]
    ranks = [
        PaperRun(
            name=f"table3-rank{rank}",
            table="table3",
            model=plan.teacher.format(rank=rank),
            steps=plan.rank_steps,
            rank=rank,
            validate_every=50,  # the curve of figure 4a
            log_every=25,  # that of figure 4b
        )
        for rank in plan.ranks
    ]
    # In this order four parts begin with the four teachers.
    return [
        table4_teacher,
        PaperRun("row2500-teacher", "row2500", teacher, plan.row_steps, plan.distilled_rank),
        *ranks,
        *students,
        PaperRun(
            name="row2500-student",
            table="row2500",
            model=plan.student,
            steps=plan.row_steps,
            alpha=plan.row_alpha,
            teacher="row2500-teacher",
        ),
    ]


@dataclass(frozen=True)
class Place:
    """Where runs read and write.

    Attributes:
        data: folder of HR pictures.
        validation: benchmark set for the validation.
        runs: folder of the runs.
        cache: folder for decoded pictures.
        device: as `edgesr train --device`.
        precision: as `edgesr train --precision`; the paper does not name its own.
    """

    data: Path
    validation: Path
    runs: Path
    cache: Path
    device: str | None = None
    precision: str = "auto"


def configure(run: PaperRun, plan: Plan, place: Place, teacher: Path | None) -> TrainConfig:
    """Return the configuration of a run.

    Args:
        run: which.
        plan: gives batch and patch.
        place: gives the folders.
        teacher: weights of the run it learns from; None for a teacher.
    """
    distillation = None
    if teacher is not None and run.alpha is not None:
        distillation = Distillation(teacher, alpha=run.alpha)
    return TrainConfig(
        data=place.data,
        out=place.runs / run.name,
        model=run.model,
        batch=plan.batch,
        patch=plan.patch,
        patches_per_image=plan.patches_per_image,
        steps=run.steps,
        lr=2e-4,
        schedule="milestones",
        warmup=0,
        optimizer="adam",
        precision=place.precision,  # type: ignore[arg-type]  # checked by the configuration
        clip_norm=0.0,
        ema=0.0,
        seed=run.seed,
        random_start=True,
        checkpoint_every=100,
        validate=place.validation,
        validate_every=run.validate_every,
        log_every=run.log_every,
        cache=place.cache,
        device=place.device,
        distillation=distillation,
    )
