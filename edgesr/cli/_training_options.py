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

    data: Annotated[
        Path,
        typer.Option(
            help="Folder of high-resolution (HR) pictures; folders inside it are searched too."
        ),
    ]
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="Folder that the weights, checkpoints and metrics are written to.",
        ),
    ]
    model: Annotated[
        str, typer.Option("-m", "--model", help="Network to train, as `edgesr models` lists it.")
    ] = "student"
    scale: Annotated[
        int,
        typer.Option(
            "-s",
            "--scale",
            help="How many times wider and higher the enlarged picture (HR) is than the "
            "small one (LR).",
        ),
    ] = 4
    batch: Annotated[
        int, typer.Option(help="Number of patches in a training step, over all processes together.")
    ] = 64
    patch: Annotated[
        int, typer.Option(help="Side of the square LR patches to train on, in pixels.")
    ] = 64
    patches_per_image: Annotated[
        int | None,
        typer.Option(
            help="Patches cut from a picture each time it is drawn (the paper: 8). "
            "Default: one patch at a time, from pictures drawn in proportion to their "
            "area."
        ),
    ] = None
    degradation: Annotated[
        str,
        typer.Option(
            help="How LR patches are made from HR: bicubic (made smaller), or photo (also "
            "blurred, resized, noisy and saved as JPEG)."
        ),
    ] = "bicubic"
    steps: Annotated[
        int | None, typer.Option(help=f"Steps of the whole run. Default: {DEFAULT_STEPS}.")
    ] = None
    duration_s: Annotated[
        float | None,
        typer.Option(
            help="Seconds that the whole run may take; the learning rate then follows the clock."
        ),
    ] = None
    time_limit_s: Annotated[
        float | None,
        typer.Option(
            help="Stop this command after so many seconds, with a checkpoint that --resume "
            "goes on from."
        ),
    ] = None
    lr: Annotated[
        float, typer.Option(help="Highest learning rate, reached at the end of the warm-up.")
    ] = 1e-3
    lr_min: Annotated[
        float, typer.Option(help="Learning rate at the end of the run, with --schedule cosine.")
    ] = 1e-6
    schedule: Annotated[
        str,
        typer.Option(
            help="How the learning rate falls: cosine (smoothly to --lr-min), or "
            "milestones (halved at each of --milestones)."
        ),
    ] = "cosine"
    milestones: Annotated[
        str,
        typer.Option(
            help="Where --schedule milestones halves the learning rate, as shares of the "
            "run from 0 to 1, separated by commas."
        ),
    ] = "0.5,0.75,0.875,0.9375"
    warmup: Annotated[
        int,
        typer.Option(
            help="Number of steps at the start in which the learning rate rises from 0 to --lr."
        ),
    ] = 200
    optimizer: Annotated[
        str, typer.Option(help="Optimizer that changes the weights: adamw or adam.")
    ] = "adamw"
    weight_decay: Annotated[
        float,
        typer.Option(
            help="Weight decay of matrices and kernels; 0.05 keeps values small enough for "
            "FP16 and INT8."
        ),
    ] = 0.0
    precision: Annotated[
        str,
        typer.Option(
            help="Number format to train in: bf16 (autocast), fp32, or auto, which is bf16 "
            "on a GPU and fp32 on a CPU."
        ),
    ] = "auto"
    loss: Annotated[
        str,
        typer.Option(
            help="Loss between output and HR patch: l1, l2, charbonnier, or l1-fourier (l1 "
            "of pixels and of their spectra)."
        ),
    ] = "l1"
    clip_norm: Annotated[
        float,
        typer.Option(
            help="Largest norm of the gradient; larger ones are scaled down to it. 0 sets no limit."
        ),
    ] = 1.0
    ema: Annotated[
        float,
        typer.Option(
            help="Decay of the moving average of the weights (EMA), which is what is "
            "saved; 0 saves the weights themselves."
        ),
    ] = 0.999
    seed: Annotated[
        int,
        typer.Option(help="Seed of all that is random: initial weights, patches and degradation."),
    ] = 0
    random_start: Annotated[
        bool,
        typer.Option(
            "--random-start",
            help="Start a new network from random weights; without this it starts as a "
            "plain interpolation of the picture.",
        ),
    ] = False
    weights: Annotated[
        Path | None,
        typer.Option(
            help="File of weights to start from; of a network for another scale, all but "
            "the enlarging layers are taken."
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on from the checkpoint in the folder of the run, or begin where there "
            "is none.",
        ),
    ] = False
    checkpoint_every: Annotated[
        int, typer.Option(help="Number of steps from one checkpoint to the next.")
    ] = 1000
    validate: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a benchmark set, such as Set5, on which PSNR is measured "
            "during the run."
        ),
    ] = None
    validate_every: Annotated[
        int, typer.Option(help="Number of steps from one measurement on --validate to the next.")
    ] = 1000
    log_every: Annotated[
        int, typer.Option(help="Number of steps from one row of metrics.csv to the next.")
    ] = 50
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder in which decoded pictures and a teacher's outputs are kept for "
            "the next run too. Default: they are kept in memory."
        ),
    ] = None
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="Make a run give the same weights, bit for bit, when it is repeated on "
            "the same kind of GPU; takes longer.",
        ),
    ] = False
    device: Annotated[
        str | None,
        typer.Option(
            help="Device to train on: cuda, cuda:1 or cpu. Default: cuda where there is one."
        ),
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
