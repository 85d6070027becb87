"""What a training run is told: one frozen record, checked once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from edgesr.errors import Argument, ConfigError

Schedule = Literal["cosine", "milestones"]
Optimizer = Literal["adam", "adamw"]
Precision = Literal["auto", "fp32", "bf16"]
LossName = Literal["l1", "l2", "charbonnier", "l1-fourier"]
Degradation = Literal["bicubic", "photo"]
TeacherRuns = Literal["never", "once", "every step"]


@dataclass(frozen=True)
class Distillation:
    """L = alpha L1(student, teacher) + (1 - alpha) L1(student, truth): the paper's equation 7.

    With `feature_affinity`, that many times the difference between the affinities of the two
    networks' features (affinity.py) is added.

    Attributes:
        teacher: weights of the teacher.
        network: the teacher's name in the registry; None takes it from the file's metadata.
        alpha: share of the teacher, 0 to 1.
        feature_affinity: weight of the affinity loss; 0 for none.
    """

    teacher: Path
    network: str | None = None
    alpha: float = 0.8
    feature_affinity: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ConfigError(
                f"alpha lies between 0 and 1, not at {self.alpha}", where=Argument("alpha")
            )
        _require(self.feature_affinity >= 0, "feature_affinity", "0 (none) or more")


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    A run is over after `steps` steps or `duration_s` seconds, whichever comes first; the larger of
    the two shares done is the progress that the schedule follows. `time_limit_s` bounds one
    invocation only: it stops with a checkpoint and `resume` goes on from there.

    Attributes:
        data: folder of HR pictures, searched recursively.
        out: folder of the run: checkpoint.pt, metrics.csv, config.json, weights, curves.
        model: name of the network in the registry.
        scale: factor between LR and HR sides.
        batch: patches in one step, over all processes together.
        patch: side of an LR patch in pixels.
        patches_per_image: None samples pictures by their area; a number draws pictures in shuffled
            epochs and takes this many patches from each (the paper: 8).
        degradation: how LR patches are made: `bicubic`, MATLAB's, as the benchmarks are; `photo`,
            also blurred, resized, noisy and saved as JPEG (see degradation/).
        steps: optimizer steps of the whole run; None with `duration_s`.
        duration_s: wall time of the whole run over all invocations.
        time_limit_s: wall time of this invocation.
        lr: learning rate after the warm-up.
        lr_min: learning rate at the end of the run, with the schedule `cosine`.
        schedule: `cosine`, or `milestones`: halved at each.
        milestones: shares of the run at which `milestones` halves the rate.
        warmup: steps over which the rate rises linearly from zero.
        optimizer: `adam` or `adamw`.
        weight_decay: on matrices and kernels only (see optimizer.py).
        precision: `bf16` runs the forward pass under autocast; parameters stay float32. `auto` is
            bf16 on a GPU and fp32 elsewhere: few CPUs have bf16 arithmetic, the others emulate it.
        loss: `l1`, `l2`, `charbonnier` or `l1-fourier`.
        clip_norm: bound of the gradient's global norm; 0 for none.
        ema: decay of the averaged weights, which are what is validated and saved.
        seed: seed of all that is random: initial weights, patches and degradation.
        random_start: keep a fresh network's random weights; else it starts as an interpolation.
        weights: start from this file instead of a random state.
        resume: go on from out/checkpoint.pt.
        checkpoint_every: steps between checkpoints.
        validate: folder of a benchmark set (HR/, LRxS/).
        validate_every: steps between validations.
        log_every: steps between rows of metrics.csv.
        cache: folder for decoded pictures and a teacher's outputs; None keeps them in memory.
        deterministic: the same bits in every run on one kind of GPU, at some cost in time; a run
            that follows the clock (`duration_s`) does not repeat all the same.
        device: `cuda`, `cpu`, ...; None for cuda where there is one.
        distillation: a teacher, or None.
    """

    data: Path
    out: Path
    model: str = "student"
    scale: int = 4
    batch: int = 64
    patch: int = 64
    patches_per_image: int | None = None
    degradation: Degradation = "bicubic"
    steps: int | None = 10_000
    duration_s: float | None = None
    time_limit_s: float | None = None
    lr: float = 1e-3
    lr_min: float = 1e-6
    schedule: Schedule = "cosine"
    milestones: tuple[float, ...] = (0.5, 0.75, 0.875, 0.9375)
    warmup: int = 200
    optimizer: Optimizer = "adamw"
    weight_decay: float = 0.0
    precision: Precision = "auto"
    loss: LossName = "l1"
    clip_norm: float = 1.0
    ema: float = 0.999
    seed: int = 0
    random_start: bool = False
    weights: Path | None = None
    resume: bool = False
    checkpoint_every: int = 1000
    validate: Path | None = None
    validate_every: int = 1000
    log_every: int = 50
    cache: Path | None = None
    deterministic: bool = False
    device: str | None = None
    distillation: Distillation | None = None

    @property
    def teacher_runs(self) -> TeacherRuns:
        """When the teacher runs.

        Once, over whole pictures before the first step, where LR is the same every time
        (`bicubic`) and only its outputs are learnt from; else in every step; never without a share
        in the loss.
        """
        told = self.distillation
        if told is None or (told.alpha == 0 and told.feature_affinity == 0):
            return "never"
        once = self.degradation == "bicubic" and told.feature_affinity == 0
        return "once" if once else "every step"

    def __post_init__(self) -> None:
        _choose(self.schedule, Schedule, "schedule")
        _choose(self.optimizer, Optimizer, "optimizer")
        _choose(self.precision, Precision, "precision")
        _choose(self.loss, LossName, "loss")
        _choose(self.degradation, Degradation, "degradation")
        _require(self.batch >= 1, "batch", "at least 1")
        _require(self.patch >= 1, "patch", "at least 1")
        _require(self.steps is not None or self.duration_s is not None, "steps", "a number")
        _require(self.steps is None or self.steps >= 1, "steps", "at least 1")
        _require(self.duration_s is None or self.duration_s > 0, "duration_s", "above 0")
        _require(self.time_limit_s is None or self.time_limit_s > 0, "time_limit_s", "above 0")
        _require(self.lr > 0 and 0 <= self.lr_min <= self.lr, "lr", "above 0 and lr_min")
        _require(all(0 < at < 1 for at in self.milestones), "milestones", "between 0 and 1")
        _require(self.warmup >= 0, "warmup", "0 or more")
        _require(self.weight_decay >= 0, "weight_decay", "0 or more")
        _require(self.clip_norm >= 0, "clip_norm", "0 (none) or more")
        _require(0 <= self.ema < 1, "ema", "0 (none) or more, and below 1")
        _require(self.checkpoint_every >= 1, "checkpoint_every", "at least 1")
        _require(self.validate_every >= 1, "validate_every", "at least 1")
        _require(self.log_every >= 1, "log_every", "at least 1")
        each = self.patches_per_image
        _require(
            each is None or (each >= 1 and self.batch % each == 0),
            "patches_per_image",
            f"a divisor of the batch ({self.batch})",
        )


def _require(holds: bool, field: str, need: str) -> None:
    if not holds:
        raise ConfigError(f"must be {need}", where=Argument(field))


def _choose(value: str, choices: Any, field: str) -> None:
    _require(value in get_args(choices), field, f"one of {', '.join(get_args(choices))}")
