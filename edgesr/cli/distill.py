"""`edgesr distill`: train a student on the truth and on a teacher's pictures."""

from pathlib import Path
from typing import Annotated

import typer

from edgesr.cli._training import run
from edgesr.cli._training_options import TrainingOptions, with_training_options


@with_training_options
def command(
    options: TrainingOptions,
    teacher: Annotated[Path, typer.Option(help="File with the teacher's weights.")],
    teacher_model: Annotated[
        str | None,
        typer.Option(help="Name of the teacher's network. Default: the one that its file names."),
    ] = None,
    alpha: Annotated[
        float,
        typer.Option(
            help="Share of the loss that is taken to the teacher's output, from 0 to 1; "
            "the rest is taken to the true picture."
        ),
    ] = 0.8,
    feature_affinity: Annotated[
        float,
        typer.Option(
            help="Weight of a further loss, between features inside the student and the "
            "teacher; 0 leaves it out."
        ),
    ] = 0.0,
) -> None:
    """Train a small network, the student, on what a large one, the teacher, makes of pictures.

    The student is -m. Its loss is alpha times its difference from the teacher's output and (1 -
    alpha) times that from the true picture. The teacher runs once, over whole pictures before the
    first step; with --feature-affinity or --degradation photo it runs in every step instead.
    """
    from edgesr.train.config import Distillation

    told = Distillation(teacher, teacher_model, alpha, feature_affinity)
    run(options.config(told), options.as_json)
