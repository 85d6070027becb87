"""What a run is made of, built from its configuration: network, teacher, objective, batches."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from edgesr.errors import Argument, ConfigError, WeightsError
from edgesr.files import sha256
from edgesr.models.checkpoint import (
    fill,
    fill_body,
    load_metadata,
    load_network,
    load_state,
)
from edgesr.models.network import SRNetwork
from edgesr.models.registry import get_network
from edgesr.train.config import TrainConfig
from edgesr.train.degradation import Photo
from edgesr.train.feeder import Feeder
from edgesr.train.losses import LOSSES, Objective
from edgesr.train.pixels import Decoded, load
from edgesr.train.refused import Refused
from edgesr.train.sampler import PatchSampler
from edgesr.train.teacher_outputs import Taught, Teacher, teacher_outputs
from edgesr.train.world import World

Made = TypeVar("Made")


class Start(NamedTuple):
    """The network at its first step, and what is worth telling of its weights."""

    network: SRNetwork
    notes: dict[str, Any]


class Data(NamedTuple):
    """Batches, what is worth telling of the pictures they come from, and files that gave none."""

    feeder: Feeder
    notes: dict[str, Any]
    refused: Refused


def build_network(config: TrainConfig, device: torch.device) -> Start:
    """Build the network to train: from its seed, from weights, or from those of another scale.

    Raises:
        ConfigError: no such network, or one without anything to train.
        WeightsError: the weights do not fit.
    """
    torch.manual_seed(config.seed)
    network = get_network(config.model).module(config.scale)
    if not config.random_start:
        network.start_as_interpolation()
    notes: dict[str, Any] = {}
    if config.weights is not None:
        state = load_state(config.weights)
        scale = load_metadata(config.weights).get("scale", str(config.scale))
        if scale not in map(str, get_network(config.model).scales):
            raise WeightsError(
                f"says that it is for scale '{scale[:20]}', which {config.model} does not have",
                where=config.weights,
            )
        if scale == str(config.scale):
            fill(network, state, config.model, config.weights)
        else:
            fresh = fill_body(network, state, config.model, config.weights)
            notes = {"body_of_scale": int(scale), "fresh_tensors": len(fresh)}
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError(f"{config.model} has nothing to train", where=Argument("model"))
    network.train()
    return Start(_placed(network, device), notes)


def build_teacher(config: TrainConfig, device: torch.device) -> Teacher | None:
    """Load the network to learn from, where there is one.

    Raises:
        ConfigError, WeightsError: it cannot be loaded.
    """
    told = config.distillation
    if told is None:
        return None
    name = told.network or load_metadata(told.teacher).get("network")
    if name is None:
        raise ConfigError(
            "does not say which network it belongs to",
            where=told.teacher,
            fix="--teacher-model NAME (edgesr models lists them)",
        )
    network = _placed(load_network(name, config.scale, told.teacher), device)
    return Teacher(network.requires_grad_(False), name, told.teacher)


def build_objective(
    config: TrainConfig, network: SRNetwork, teacher: Teacher | None, world: World
) -> nn.Module:
    """Join network, loss and a teacher that runs in every step, for one process or several.

    Raises:
        ConfigError: features are to be compared, and one of the networks names none.
    """
    runs = teacher is not None and config.teacher_runs == "every step"
    objective = Objective(
        network,
        LOSSES[config.loss],
        config.precision,
        teacher.network if teacher is not None and runs else None,
        config.distillation,
    )
    if world.size == 1:
        return objective
    world.share(objective.parameters())
    # Buffers are constants of the network, the same everywhere and some of them expanded views,
    # which cannot be broadcast into: nothing is left for torch to share, now or in a step. Torch
    # 2.13 has another name for that, and warns of the old one.
    known = inspect.signature(DistributedDataParallel).parameters
    name = next(name for name in ("forward_sync_buffers", "broadcast_buffers") if name in known)
    unshared: dict[str, Any] = {"init_sync": False, name: False}
    distributed = partial(DistributedDataParallel, objective, **unshared)
    if world.device.type != "cuda":
        return distributed()
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    with torch.cuda.stream(side):  # of what is made on the default one, no step can be recorded
        return distributed(device_ids=[world.device])


def build_data(
    config: TrainConfig, teacher: Teacher | None, world: World, decoded: Decoded, taught: Taught
) -> Data:
    """Decode the pictures, run a teacher over them that runs once, and place them.

    Args:
        config: names the folder.
        teacher: from `build_teacher`.
        world: gives the device and this process's share of a batch.
        decoded: told how many pictures are decoded, of how many.
        taught: told how many pictures the teacher has enlarged, of how many.

    Raises:
        DataError: no usable pictures, or more than memory holds.
        ModelError: a picture of the teacher is black or not finite.
    """
    folder, scale, cache, patch = config.data, config.scale, config.cache, config.patch
    loaded = _once_a_machine(cache, world, lambda: load(folder, scale, cache, decoded))
    pixels = loaded.pixels
    sampler = PatchSampler(pixels, patch, config.batch, config.seed, config.patches_per_image)
    notes: dict[str, Any] = {}
    if teacher is not None:
        notes = {"teacher": teacher.name, "teacher_sha256": sha256(teacher.file)}
        notes["teacher_runs"] = config.teacher_runs
    if teacher is not None and config.teacher_runs == "once":
        run = partial(teacher_outputs, teacher, pixels, patch, cache, world.device, taught)
        pixels = replace(pixels, taught=_once_a_machine(cache, world, run))
        if world.device.type == "cuda":
            torch.cuda.empty_cache()  # what is free decides where the pictures go
    on_device = world.device.type == "cuda" and pixels.fits(world.device)
    device, rank, size = world.device, world.rank, world.size
    photo = None
    if config.degradation == "photo":
        photo = Photo(config.seed, config.batch, config.patch, config.scale, device, rank, size)
    feeder = Feeder(pixels, sampler, config.patch, device, on_device, rank, size, photo)
    notes |= {
        "pictures": sampler.pictures,
        "hr_megapixels": round(len(pixels.hr) / 1e6, 3),
        "pictures_smaller_than_a_patch": sampler.skipped,
        "unreadable_files": loaded.refused.count,
        "pixels_on_device": on_device,
    }
    return Data(feeder, notes, loaded.refused)


def _placed(network: SRNetwork, device: torch.device) -> SRNetwork:
    # Channels last in memory makes tokens and pictures two views of one buffer.
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _once_a_machine(cache: Path | None, world: World, make: Callable[[], Made]) -> Made:
    """Where there is a cache, one process of each machine fills it and the others map it."""
    if cache is None or world.local_rank == 0:
        made = make()
        world.wait()
        return made
    world.wait()
    return make()
