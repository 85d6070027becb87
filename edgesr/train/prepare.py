"""What a run is made of, built from its configuration: network, teacher, objective, batches."""

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from edgesr.errors import ConfigError, WeightsError
from edgesr.models.checkpoint import (
    fill,
    fill_body,
    load_metadata,
    load_network,
    load_state,
)
from edgesr.models.network import SRNetwork
from edgesr.models.registry import get_network
from edgesr.train.config import Distillation, TrainConfig
from edgesr.train.degradation import Photo
from edgesr.train.feeder import Feeder
from edgesr.train.losses import LOSSES, Objective
from edgesr.train.pixels import Decoded, Loaded, load
from edgesr.train.sampler import Sampler
from edgesr.train.world import World


class Start(NamedTuple):
    """The network at its first step, and what is worth telling of its weights."""

    network: SRNetwork
    notes: dict[str, Any]


class Data(NamedTuple):
    """Batches, and what is worth telling of the pictures they come from."""

    feeder: Feeder
    notes: dict[str, Any]


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
        raise ConfigError(f"{config.model} has nothing to train", where="--model")
    network.train()
    return Start(_placed(network, device), notes)


def build_objective(config: TrainConfig, network: SRNetwork, world: World) -> nn.Module:
    """Join network, loss and teacher, distributed where there are several processes.

    Raises:
        ConfigError, WeightsError: a teacher that cannot be loaded.
    """
    teacher = None
    if config.distillation is not None:
        teacher = _placed(_load_teacher(config.distillation, config.scale), world.device)
        teacher.requires_grad_(False)
    objective = Objective(
        network, LOSSES[config.loss], config.precision, teacher, config.distillation
    )
    if world.size == 1:
        return objective
    ids = [world.device] if world.device.type == "cuda" else None
    # Buffers are constants of the network, the same everywhere and some of them expanded views,
    # which cannot be broadcast into.
    constants = [name for name, _ in objective.named_buffers()]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(  # type: ignore[no-untyped-call]
        objective, constants
    )
    if ids is None:
        return DistributedDataParallel(objective)
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    with torch.cuda.stream(side):  # of what is made on the default one, no step can be recorded
        return DistributedDataParallel(objective, device_ids=ids)


def build_data(config: TrainConfig, world: World, decoded: Decoded) -> Data:
    """Decode the pictures and place them.

    Args:
        config: names the folder.
        world: gives the device and this process's share of a batch.
        decoded: told how many pictures are decoded, of how many.

    Raises:
        DataError: no usable pictures, or more than memory holds.
    """
    loaded = _load_once_a_machine(config, world, decoded)
    pixels = loaded.pixels
    sampler = Sampler(pixels, config.patch, config.batch, config.seed, config.patches_per_image)
    on_device = world.device.type == "cuda" and pixels.fits(world.device)
    device, rank, size = world.device, world.rank, world.size
    photo = None
    if config.degradation == "photo":
        photo = Photo(config.seed, config.batch, config.patch, config.scale, device, rank, size)
    feeder = Feeder(pixels, sampler, config.patch, device, on_device, rank, size, photo)
    notes = {
        "pictures": sampler.pictures,
        "hr_megapixels": round(len(pixels.hr) / 1e6, 3),
        "pictures_smaller_than_a_patch": sampler.skipped,
        "unreadable_files": loaded.unreadable,
        "pixels_on_device": on_device,
    }
    return Data(feeder, notes)


def _placed(network: SRNetwork, device: torch.device) -> SRNetwork:
    # Channels last in memory makes tokens and pictures two views of one buffer.
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _load_teacher(distillation: Distillation, scale: int) -> SRNetwork:
    name = distillation.network or load_metadata(distillation.teacher).get("network")
    if name is None:
        raise ConfigError(
            "does not say which network it belongs to",
            where=distillation.teacher,
            fix="--teacher-model NAME (edgesr models lists them)",
        )
    return load_network(name, scale, distillation.teacher)


def _load_once_a_machine(config: TrainConfig, world: World, decoded: Decoded) -> Loaded:
    """Where there is a cache, one process of each machine fills it and the others map it."""
    if config.cache is None or world.local_rank == 0:
        loaded = load(config.data, config.scale, config.cache, decoded)
        world.wait()
        return loaded
    world.wait()
    return load(config.data, config.scale, config.cache, decoded)
