"""`edgesr train`: train a super-resolution network on a folder of pictures."""

from typing import Annotated

import typer

from edgesr.cli import _training as options


def command(
    data: options.Data,
    out: options.Out,
    model: Annotated[
        str, typer.Option(help="Network to train, as `edgesr models` lists it.")
    ] = "student",
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
    """Train a network on a folder of HR pictures."""
    options.run(options.configure(dict(locals())), json)
