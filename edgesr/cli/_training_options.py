"""The options of `train`, all of which `distill` has too: one definition for both."""

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from edgesr.cli._ignored import refuse_ignored
from edgesr.cli._signature import Command, option, own_options, with_options
from edgesr.errors import ConfigError

if TYPE_CHECKING:
    from edgesr.train.config import Distillation, TrainConfig

DEFAULT_STEPS = 10_000


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """What was typed: a field is an option, and all but the last are those of `TrainConfig`."""

    data: Annotated[Path, typer.Option(help="Folder of HR pictures, searched recursively.")]
    out: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run.")]
    model: Annotated[
        str, typer.Option("-m", "--model", help="Network to train, as `edgesr models` lists it.")
    ] = "student"
    scale: Annotated[int, typer.Option("-s", "--scale", help="Factor between LR and HR sides.")] = 4
    batch: Annotated[int, typer.Option(help="Patches in a step, over all processes.")] = 64
    patch: Annotated[int, typer.Option(help="Side of an LR patch in pixels.")] = 64
    patches_per_image: Annotated[
        int | None,
        typer.Option(help="Patches from each picture drawn (the paper: 8); else drawn by area."),
    ] = None
    degradation: Annotated[
        str,
        typer.Option(
            help="How LR is made: bicubic, or photo (also blur, resizing, noise and JPEG)."
        ),
    ] = "bicubic"
    steps: Annotated[
        int | None, typer.Option(help=f"Steps of the whole run. Default: {DEFAULT_STEPS}.")
    ] = None
    duration_s: Annotated[
        float | None, typer.Option(help="Wall time of the whole run; the schedule follows it.")
    ] = None
    time_limit_s: Annotated[
        float | None, typer.Option(help="Stop after this time with a checkpoint for --resume.")
    ] = None
    lr: Annotated[float, typer.Option(help="Learning rate after the warm-up.")] = 1e-3
    lr_min: Annotated[
        float, typer.Option(help="Learning rate at the end of the schedule cosine.")
    ] = 1e-6
    schedule: Annotated[str, typer.Option(help="cosine, or milestones (halved at each).")] = (
        "cosine"
    )
    milestones: Annotated[str, typer.Option(help="Shares of the run, separated by commas.")] = (
        "0.5,0.75,0.875,0.9375"
    )
    warmup: Annotated[int, typer.Option(help="Steps of linear warm-up.")] = 200
    optimizer: Annotated[str, typer.Option(help="adamw or adam.")] = "adamw"
    weight_decay: Annotated[
        float,
        typer.Option(help="On matrices and kernels; 0.05 keeps values small, for FP16 and INT8."),
    ] = 0.0
    precision: Annotated[
        str, typer.Option(help="bf16 (autocast), fp32, or auto: bf16 on a GPU.")
    ] = "auto"
    loss: Annotated[str, typer.Option(help="l1, l2, charbonnier or l1-fourier.")] = "l1"
    clip_norm: Annotated[float, typer.Option(help="Bound of the gradient's norm; 0 for none.")] = (
        1.0
    )
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights; 0 for none.")] = 0.999
    seed: Annotated[int, typer.Option(help="Of the initial weights and every crop.")] = 0
    random_start: Annotated[
        bool,
        typer.Option("--random-start", help="Do not start a fresh network as an interpolation."),
    ] = False
    weights: Annotated[
        Path | None,
        typer.Option(help="Start from these weights, or from the body of another scale's."),
    ] = None
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in the folder of the run.")
    ] = False
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 1000
    validate: Annotated[Path | None, typer.Option(help="Benchmark set, such as Set5.")] = None
    validate_every: Annotated[int, typer.Option(help="Steps between validations.")] = 1000
    log_every: Annotated[int, typer.Option(help="Steps between rows of metrics.csv.")] = 50
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Keep decoded pictures and a teacher's outputs here, on disk, for the next run "
            "too."
        ),
    ] = None
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="The same bits in every run on one kind of GPU."),
    ] = False
    device: Annotated[
        str | None, typer.Option(help="cuda, cuda:1, cpu. Default: cuda where there is one.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False

    def config(self, distillation: "Distillation | None" = None) -> "TrainConfig":
        """Return the configuration of the run.

        Raises:
            ConfigError: a value that cannot be.
        """
        from edgesr.train.config import TrainConfig

        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        del values["as_json"]
        try:
            values["milestones"] = tuple(float(at) for at in self.milestones.split(",") if at)
        except ValueError as error:
            raise ConfigError(
                "must be numbers separated by commas",
                where="--milestones",
                fix="--milestones 0.5,0.75",
            ) from error
        if self.steps is None and self.duration_s is None:
            values["steps"] = DEFAULT_STEPS
        return TrainConfig(**values, distillation=distillation)


def with_training_options(command: Command) -> Command:
    """Return a command with the options of training behind its own.

    Args:
        command: takes its own options by name, and `options`, the `TrainingOptions`.
    """
    hints = get_type_hints(TrainingOptions, include_extras=True)
    shared = [
        option(one.name, hints[one.name], *(() if one.default is MISSING else (one.default,)))
        for one in fields(TrainingOptions)
    ]

    def with_all(context: typer.Context, **given: Any) -> None:
        options = TrainingOptions(**{one.name: given.pop(one.name) for one in shared})
        _refuse_ignored(context, options)
        command(options=options, **given)

    own = own_options(command, "options")
    return with_options(with_all, [option("context", typer.Context), *own, *shared], like=command)


def _refuse_ignored(context: typer.Context, options: TrainingOptions) -> None:
    """See that no option was typed that another one makes useless.

    Raises:
        ConfigError: one was.
    """
    if options.schedule == "milestones":
        refuse_ignored(context, "with --schedule milestones", "lr_min")
    else:
        refuse_ignored(
            context, "without --schedule milestones", "milestones", fix="--schedule milestones"
        )
    if options.validate is None:
        refuse_ignored(context, "without --validate", "validate_every", fix="--validate SET")
