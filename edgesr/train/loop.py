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
from torch.nn.parallel import DistributedDataParallel

from edgesr.errors import ConfigError
from edgesr.models.checkpoint import fill, load_metadata, load_network, load_state, save_weights
from edgesr.models.network import SRNetwork
from edgesr.models.registry import get_network
from edgesr.train.config import Distillation, TrainConfig
from edgesr.train.feeder import Batch, Feeder
from edgesr.train.gpu_power import GpuPower
from edgesr.train.losses import LOSSES, Objective
from edgesr.train.optimizer import Average, build_optimizer
from edgesr.train.pixels import Loaded, load
from edgesr.train.record import Metrics, Row, record_invocation
from edgesr.train.sampler import Sampler
from edgesr.train.schedule import learning_rate, progress
from edgesr.train.state import State
from edgesr.train.validate import Validation
from edgesr.train.world import World, joined

CLOCK_EVERY = 10  # steps between looks at the clock, which several processes must share


class Watcher(Protocol):
    """Whoever looks on; process 0 alone calls it."""

    def decoded(self) -> None:
        """One picture more is decoded."""

    def said(self, line: str) -> None:
        """Something worth one line happened."""

    def stepped(self, done: float, row: Row | None) -> None:
        """A step is done; `done` is the share of the run, `row` the newest metrics if new."""


@dataclass(frozen=True)
class Result:
    """How an invocation ended.

    Attributes:
        step: optimizer steps of the run so far.
        finished: whether the run is over, or stopped at its time limit.
        psnr_y_db: the last validation.
        weights: the averaged weights.
        checkpoint: the state to resume from.
    """

    step: int
    finished: bool
    psnr_y_db: float | None
    weights: Path
    checkpoint: Path


def train(config: TrainConfig, watcher: Watcher) -> Result:
    """Train, or go on training, until the run is over or its time is up.

    Raises:
        ConfigError: options that do not fit each other, the device or the run on disk; memory of
            the device exhausted; a loss that is not finite.
        DataError: no usable pictures.
        WeightsError: weights or a checkpoint that do not fit.
    """
    with joined(config.device, config.batch) as world:
        checkpoint = config.out / "checkpoint.pt"
        if checkpoint.exists() and not config.resume:
            raise ConfigError("holds a run already", where=config.out, fix="--resume")
        config.out.mkdir(parents=True, exist_ok=True)
        try:
            return Run(config, world, watcher, checkpoint).go()
        except torch.OutOfMemoryError as error:
            raise ConfigError(
                f"a step of {config.batch} patches does not fit in the GPU's memory",
                where="--batch",
                fix=f"--batch {max(1, config.batch // 2)}",
            ) from error


class Run:
    """One invocation."""

    def __init__(
        self, config: TrainConfig, world: World, watcher: Watcher, checkpoint: Path
    ) -> None:
        started = time.monotonic()
        self._config, self._world, self._watcher = config, world, watcher
        self._checkpoint = checkpoint
        self._network = _network(config).to(world.device, memory_format=torch.channels_last)
        self._network.train()
        self._state = State(
            self._network,
            build_optimizer(config, self._network),
            Average(self._network, config.ema),
        )
        if config.resume and checkpoint.exists():
            self._state.load(checkpoint, config)
        self._began, self._limit = started, started + (config.time_limit_s or math.inf)
        self._before_s = self._state.elapsed_s
        self._objective = self._prepare_objective()
        self._feeder = self._prepare_data()
        self._validation = (
            Validation(config.validate, config.scale) if config.validate and world.first else None
        )
        self._psnr: float | None = None
        self._metrics: Metrics | None = None
        if world.first:
            self._metrics = Metrics(config.out / "metrics.csv", self._state.step)
        self._power = GpuPower(world.device)

    def _prepare_objective(self) -> nn.Module:
        config, device = self._config, self._world.device
        teacher = None
        if config.distillation is not None:
            teacher = _teacher(config.distillation, config.scale)
            teacher.to(device, memory_format=torch.channels_last).requires_grad_(False)
        objective: nn.Module = Objective(
            self._network, LOSSES[config.loss], config.precision, teacher, config.distillation
        )
        if config.compile:
            objective.compile()
        if self._world.size > 1:
            ids = [device.index] if device.type == "cuda" else None
            objective = DistributedDataParallel(objective, device_ids=ids)
        return objective

    def _prepare_data(self) -> Feeder:
        config, world = self._config, self._world
        loaded = _load_once_a_machine(config, world, self._watcher)
        sampler = Sampler(
            loaded.pixels, config.patch, config.batch, config.seed, config.patches_per_image
        )
        feeder = Feeder(loaded.pixels, sampler, config.patch, world.device, world.rank, world.size)
        if world.first:
            notes = {
                "processes": world.size,
                "pictures": sampler.pictures,
                "pictures_smaller_than_a_patch": sampler.skipped,
                "unreadable_files": loaded.unreadable,
                "hr_pixels": len(loaded.pixels.hr),
                "pixels_on_device": feeder.on_device,
            }
            record_invocation(config.out / "config.json", config, self._state.step, notes)
            self._watcher.said(
                f"{sampler.pictures} pictures, {len(loaded.pixels.hr) / 1e6:.0f} megapixels"
                f" ({sampler.skipped} smaller than a patch and {loaded.unreadable} unreadable left"
                f" out), {'on' if feeder.on_device else 'fed to'} {world.device}; from step"
                f" {self._state.step}"
            )
        return feeder

    def go(self) -> Result:
        """Run to the end or to the time limit."""
        if self._world.device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # one shape throughout
        batches = self._feeder.batches(self._state.step)
        done, stop = self._look_at_clock()
        finished = done >= 1.0
        sums = _Sums(self._world.device)
        while not (finished or stop):
            rate = learning_rate(self._config, self._state.step, done)
            sums.add(*self._step(batches, rate))
            step = self._state.step
            if step % CLOCK_EVERY == 0:
                done, stop = self._look_at_clock()
            else:
                done = max(done, progress(self._config, step, 0.0))
            finished = done >= 1.0
            row = None
            if finished or stop or self._due(step):
                row = self._read(sums, rate, last=finished or stop)
            if self._world.first:
                self._watcher.stepped(done, row)
        return self._close(finished)

    def _step(self, batches: Iterator[Batch], rate: float) -> tuple[Tensor, Tensor]:
        """Take one optimizer step; return the loss and the gradient's norm, still on the device."""
        optimizer, config = self._state.optimizer, self._config
        lr, hr = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        loss: Tensor = self._objective(lr, hr)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), config.clip_norm or math.inf)
        optimizer.step()
        self._state.step += 1
        self._state.average.update(self._state.step)
        return loss.detach(), norm

    def _due(self, step: int) -> bool:
        config = self._config
        every = (config.log_every, config.validate_every, config.checkpoint_every)
        return any(step % number == 0 for number in every)

    def _look_at_clock(self) -> tuple[float, bool]:
        """Return (share of the run done, whether to stop), as process 0 sees them."""
        now = time.monotonic()
        self._state.elapsed_s = self._before_s + now - self._began
        done = progress(self._config, self._state.step, self._state.elapsed_s)
        done, stop = self._world.from_first([done, float(now >= self._limit)])
        return done, bool(stop)

    def _read(self, sums: "_Sums", rate: float, last: bool) -> Row:
        """Wait for the device, then write what is due: row, validation, checkpoint."""
        loss, norm, images_per_s = sums.read(self._world, self._config.batch)
        power_w = self._power.mean_w()
        step, config = self._state.step, self._config
        if not (math.isfinite(loss) and math.isfinite(norm)):
            good = "none was written yet"
            if self._checkpoint.exists():
                good = f"the last good one is {self._checkpoint}"
            raise ConfigError(
                f"the loss is not finite after step {step} (checkpoint: {good})",
                where="--lr",
                fix=f"--resume --lr {config.lr / 2:g}",
            )
        psnr = None
        if last or step % config.validate_every == 0:
            psnr = self._validate()
        self._look_at_clock()
        row = Row(step, loss, rate, norm, psnr, images_per_s, power_w, self._state.elapsed_s)
        if self._metrics is not None:
            self._metrics.add(row)
        if last or step % config.checkpoint_every == 0:
            self._save()
        self._world.wait()
        sums.restart()
        self._power.mean_w()
        return row

    def _validate(self) -> float | None:
        if self._validation is None:
            return None
        with self._state.average.applied():
            self._psnr = self._validation.psnr_y_db(self._network, self._world.device)
        return self._psnr

    @property
    def _weights(self) -> Path:
        name = re.sub(r"[^A-Za-z0-9-]+", "_", self._config.model)
        return self._config.out / f"{name}_x{self._config.scale}.safetensors"

    def _save(self) -> None:
        if not self._world.first:
            return
        config, state = self._config, self._state
        state.save(self._checkpoint, config)
        notes = {"data": config.data.name, "step": str(state.step), "loss": config.loss}
        if self._psnr is not None and config.validate is not None:
            notes[f"psnr_y_db_{config.validate.name}"] = f"{self._psnr:.3f}"
        with state.average.applied():
            save_weights(self._weights, self._network, config.model, notes)

    def _close(self, finished: bool) -> Result:
        return Result(self._state.step, finished, self._psnr, self._weights, self._checkpoint)


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


def _network(config: TrainConfig) -> SRNetwork:
    """Build the network from the seed, or from weights."""
    torch.manual_seed(config.seed)
    network = get_network(config.model).module(config.scale)
    if config.weights is not None:
        fill(network, load_state(config.weights), config.model, config.weights)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError(f"{config.model} has nothing to train", where="--model")
    return network


def _teacher(distillation: Distillation, scale: int) -> SRNetwork:
    name = distillation.network or load_metadata(distillation.teacher).get("network")
    if name is None:
        raise ConfigError(
            "does not say which network it belongs to",
            where=distillation.teacher,
            fix="--teacher-model NAME (edgesr models lists them)",
        )
    return load_network(name, scale, distillation.teacher)


def _load_once_a_machine(config: TrainConfig, world: World, watcher: Watcher) -> Loaded:
    """Decode; where a cache is shared, one process of each machine fills it for the others."""

    def decoded() -> None:
        if world.first:
            watcher.decoded()

    if config.cache is None or world.local_rank == 0:
        loaded = load(config.data, config.scale, config.cache, decoded)
        world.wait()
        return loaded
    world.wait()
    return load(config.data, config.scale, config.cache)
