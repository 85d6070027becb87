"""The training loop: one for training and for distillation, on one device or many.

    crops(step) -> batch on the device -> loss -> gradient -> Adam -> moving average

Every so many steps the means are read from the device (the only time the loop waits for it) and
written to metrics.csv; a validation, a checkpoint and the end are such moments too. A run whose
loss is no longer finite stops before it could overwrite its last good checkpoint.
"""

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from edgesr.errors import Argument, ConfigError
from edgesr.models.checkpoint import save_weights
from edgesr.train.config import TrainConfig
from edgesr.train.feeder import Batch
from edgesr.train.folder_lock import sole_training
from edgesr.train.gpu_power import GpuPower
from edgesr.train.gradient import Gradient
from edgesr.train.optimizer import Average, build_optimizer
from edgesr.train.prepare import build_data, build_network, build_objective, build_teacher
from edgesr.train.record import MetricsFile, MetricsRow, record_invocation
from edgesr.train.schedule import learning_rate, share_done
from edgesr.train.state import TrainingState
from edgesr.train.validate import Validation
from edgesr.train.world import World, convolutions, joined

CLOCK_EVERY = 10
"""Steps between looks at the clock, which several processes must share; a process that is alone
also looks when it is asked to stop, because on a CPU ten steps may take minutes."""


class TrainingWatcher(Protocol):
    """Callbacks that show a run: every process calls `decoded` and `taught`, process 0 the rest."""

    def decoded(self, pictures: int, of: int) -> None:
        """So many pictures are decoded, of so many; every process says so, and may be ended."""

    def taught(self, pictures: int, of: int) -> None:
        """So many pictures has the teacher enlarged, of so many; as `decoded`."""

    def said(self, line: str) -> None:
        """Something worth one line happened."""

    def stepped(self, done: float, row: MetricsRow | None) -> None:
        """A step is done; `done` is the share of the run, `row` the newest metrics if new."""

    def wants_stop(self) -> bool:
        """Whether to stop now, with a checkpoint."""


@dataclass(frozen=True)
class TrainingResult:
    """How an invocation ended.

    Attributes:
        step: optimizer steps of the run so far.
        finished: whether the run is over, or was stopped before.
        psnr_y_db: the last validation, None without one.
        weights: the averaged weights.
        checkpoint: the state to resume from.
    """

    step: int
    finished: bool
    psnr_y_db: float | None
    weights: Path
    checkpoint: Path


def train(config: TrainConfig, watcher: TrainingWatcher) -> TrainingResult:
    """Train, or go on training, until the run is over or its time is up.

    Raises:
        ConfigError: another process trains in the folder; options that do not fit each other, the
            device or the run on disk; memory of the device exhausted; a loss that is not finite.
        DataError: no usable pictures.
        WeightsError: weights or a checkpoint that do not fit.
    """
    exact = config.deterministic
    with (
        joined(config.device, config.batch) as world,
        convolutions(not exact, exact),
        sole_training(config.out, world.first),
    ):
        if not config.resume and _checkpoint(config).exists():
            raise ConfigError("holds a run already", where=config.out, fix=Argument("resume", True))
        try:
            return Run(config, world, watcher).go()
        except torch.OutOfMemoryError as error:
            raise ConfigError(
                f"a step of {config.batch} patches does not fit in the GPU's memory",
                where=Argument("batch"),
                fix=Argument("batch", max(1, config.batch // 2)),
            ) from error


def _checkpoint(config: TrainConfig) -> Path:
    return config.out / "checkpoint.pt"


def _weights(config: TrainConfig) -> Path:
    name = re.sub(r"[^A-Za-z0-9-]+", "_", config.model)
    return config.out / f"{name}_x{config.scale}.safetensors"


class Run:
    """One invocation."""

    def __init__(self, config: TrainConfig, world: World, watcher: TrainingWatcher) -> None:
        self._config, self._world, self._watcher = config, world, watcher
        self._began = time.monotonic()
        self._network, started = build_network(config, world.device)
        self._state = TrainingState(
            self._network,
            build_optimizer(config, self._network),
            Average(self._network, config.ema),
        )
        if config.resume and _checkpoint(config).exists():
            self._state.load(_checkpoint(config), config)
        self._before_s = self._state.elapsed_s
        teacher = build_teacher(config, world.device)
        record = world.device.type == "cuda"
        objective = build_objective(config, self._network, teacher, world)
        self._gradient = Gradient(objective, record)
        data = build_data(config, teacher, world, watcher.decoded, watcher.taught)
        self._feeder = data.feeder
        self._validation: Validation | None = None
        self._metrics: MetricsFile | None = None
        self._psnr: float | None = None
        if world.first:
            if config.validate is not None:
                self._validation = Validation(config.validate, config.scale)
            notes = {"processes": world.size, **started, **data.notes}
            record_invocation(config.out / "config.json", config, self._state.step, notes)
            self._metrics = MetricsFile(config.out / "metrics.csv", self._state.step)
            described = ", ".join(f"{key.replace('_', ' ')} {notes[key]}" for key in notes)
            watcher.said(f"from step {self._state.step} on {world.device}: {described}")
            for line in data.refused.lines:
                watcher.said(line)
        self._power = GpuPower(world.device)
        self._sums = _Sums(world.device)

    def go(self) -> TrainingResult:
        """Run to the end or to the time limit."""
        batches = self._feeder.batches(self._state.step)
        done, _ = self._look_at_clock()
        # Every invocation goes forward, however short, and a new run has weights in the end.
        finished, stop = done >= 1.0 and self._state.step > 0, False
        self._sums.restart()
        while not (finished or stop):
            rate = learning_rate(self._config, self._state.step, done)
            self._sums.add(*self._step(batches, rate))
            step = self._state.step
            if step % CLOCK_EVERY == 0 or (self._world.size == 1 and self._watcher.wants_stop()):
                done, stop = self._look_at_clock()
            else:
                done = max(done, share_done(self._config, step, 0.0))
            finished = done >= 1.0
            row = None
            if finished or stop or self._due(step):
                row = self._read(rate, last=finished or stop)
            if self._world.first:
                self._watcher.stepped(done, row)
        return TrainingResult(
            self._state.step,
            finished,
            self._psnr,
            _weights(self._config),
            _checkpoint(self._config),
        )

    def _step(self, batches: Iterator[Batch], rate: float) -> tuple[Tensor, Tensor]:
        """Take one optimizer step; return the loss and the gradient's norm, still on the device."""
        optimizer, config = self._state.optimizer, self._config
        batch = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = self._gradient(*batch)
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), config.clip_norm or math.inf)
        optimizer.step()
        self._state.step += 1
        self._state.average.update(self._state.step)
        return loss, norm

    def _due(self, step: int) -> bool:
        config = self._config
        every = (config.log_every, config.validate_every, config.checkpoint_every)
        return any(step % number == 0 for number in every)

    def _look_at_clock(self) -> tuple[float, bool]:
        """Return (share of the run done, whether to stop), as process 0 sees them."""
        now = time.monotonic()
        self._state.elapsed_s = self._before_s + now - self._began
        done = share_done(self._config, self._state.step, self._state.elapsed_s)
        limit_s = self._config.time_limit_s or math.inf
        stop = now - self._began >= limit_s or (self._world.first and self._watcher.wants_stop())
        done, shared_stop = self._world.from_first([done, float(stop)])
        return done, bool(shared_stop)

    def _read(self, rate: float, last: bool) -> MetricsRow:
        """Wait for the device, then write what is due: row, validation, checkpoint."""
        loss, norm, images_per_s = self._sums.read(self._world, self._config.batch)
        power_w = self._power.mean_w()
        step, config = self._state.step, self._config
        if not (math.isfinite(loss) and math.isfinite(norm)):
            good = _checkpoint(config)
            kept = f"the last good checkpoint is {good}" if good.exists() else "no checkpoint yet"
            raise ConfigError(
                f"the loss is no longer finite after step {step}; {kept}",
                where=Argument("lr"),
                fix=f"--resume --lr {config.lr / 2:g}",
            )
        psnr = None
        if last or step % config.validate_every == 0:
            psnr = self._validate()
        self._look_at_clock()
        row = MetricsRow(step, loss, rate, norm, psnr, images_per_s, power_w, self._state.elapsed_s)
        if self._metrics is not None:
            self._metrics.add(row)
        if last or step % config.checkpoint_every == 0:
            self._save()
        self._world.wait()
        self._sums.restart()
        self._power.mean_w()
        return row

    def _validate(self) -> float | None:
        if self._validation is None:
            return None
        with self._state.average.applied():
            self._psnr = self._validation.psnr_y_db(
                self._network, self._config.model, self._world.device
            )
        return self._psnr

    def _save(self) -> None:
        if not self._world.first:
            return
        config, state = self._config, self._state
        notes = {"data": config.data.name, "step": str(state.step), "loss": config.loss}
        if self._psnr is not None and config.validate is not None:
            notes[f"psnr_y_db_{config.validate.name}"] = f"{self._psnr:.3f}"
        with state.average.applied():
            save_weights(_weights(config), self._network, config.model, notes)
        # Last, because a run that is resumed believes the checkpoint that all else is written.
        state.save(_checkpoint(config), config)


class _Sums:
    """Loss and gradient norm, summed on the device between two readings."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.restart()

    def restart(self) -> None:
        """Begin a new interval."""
        self._values = torch.zeros(2, dtype=torch.float64, device=self._device)
        self._count, self._began = 0, time.monotonic()

    def add(self, loss: Tensor, norm: Tensor) -> None:
        """Add one step."""
        self._values += torch.stack((loss, norm))
        self._count += 1

    def read(self, world: World, batch: int) -> tuple[float, float, float]:
        """Return the means of loss and norm over the steps and processes, and patches per s."""
        loss, norm = (world.mean(self._values) / self._count).tolist()
        return loss, norm, batch * self._count / (time.monotonic() - self._began)
