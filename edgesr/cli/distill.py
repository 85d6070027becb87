"""`edgesr distill`: train a student on the truth and on a teacher's pictures."""

from pathlib import Path
from typing import Annotated

import typer

from edgesr.cli import _training as options


def command(
    data: options.Data,
    out: options.Out,
    teacher: Annotated[Path, typer.Option(help="File with the teacher's weights.")],
    student: Annotated[
        str, typer.Option(help="Network to train, as `edgesr models` lists it.")
    ] = "student",
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
    scale: options.Scale = 4,
    batch: options.Batch = 64,
    patch: options.Patch = 64,
    patches_per_image: options.PatchesPerImage = None,
    degradation: options.Degradation = "bicubic",
    steps: options.Steps = None,
    duration_s: options.DurationS = None,
    time_limit_s: options.TimeLimitS = None,
    lr: options.Lr = 1e-3,
    lr_min: options.LrMin = 1e-6,
    schedule: options.Schedule = "cosine",
    milestones: options.Milestones = "0.5,0.75,0.875,0.9375",
    warmup: options.Warmup = 200,
    optimizer: options.Optimizer = "adamw",
    weight_decay: options.WeightDecay = 0.0,
    precision: options.Precision = "auto",
    loss: options.Loss = "l1",
    clip_norm: options.ClipNorm = 1.0,
    ema: options.Ema = 0.999,
    seed: options.Seed = 0,
    random_start: options.RandomStart = False,
    weights: options.Weights = None,
    resume: options.Resume = False,
    checkpoint_every: options.CheckpointEvery = 1000,
    validate: options.Validate = None,
    validate_every: options.ValidateEvery = 1000,
    log_every: options.LogEvery = 50,
    cache: options.Cache = None,
    deterministic: options.Deterministic = False,
    device: options.Device = None,
    json: options.Json = False,
) -> None:
    """Train a student: L = alpha L(student, teacher) + (1 - alpha) L(student, truth).

    The teacher runs once, over whole pictures before the first step; with --feature-affinity or
    --degradation photo it runs in every step instead.
    """
    given = dict(locals())
    for name in ("teacher", "teacher_model", "alpha", "feature_affinity"):
        del given[name]
    given["model"] = given.pop("student")
    options.run(options.configure(given, (teacher, teacher_model, alpha, feature_affinity)), json)
