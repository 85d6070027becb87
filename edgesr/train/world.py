"""The processes of one run: alone, or started by torchrun on one or more machines."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module

import torch
import torch.distributed as dist
from torch import Tensor

from edgesr.errors import Argument, ConfigError

# Processes wait while one decodes a set or runs a teacher over it; torch gives up after 10 minutes.
_PATIENCE = timedelta(hours=3)


@dataclass(frozen=True)
class World:
    """Where this process stands.

    Attributes:
        rank: 0 writes the files.
        size: number of processes.
        local_rank: number of this process on its machine.
        device: where it computes.
    """

    rank: int
    size: int
    local_rank: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def from_first(self, values: list[float]) -> list[float]:
        """Return the values of process 0 in every process."""
        if self.size == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.broadcast(shared, 0)
        result: list[float] = shared.tolist()
        return result

    @torch.no_grad()
    def share(self, parameters: Iterable[Tensor]) -> None:
        """Give every process the values that process 0 has, as one message.

        Args:
            parameters: of one dtype, in the same order and shapes in all processes.
        """
        targets = list(parameters)
        values = torch.cat([target.reshape(-1) for target in targets])
        dist.broadcast(values, 0)
        sizes = [target.numel() for target in targets]
        for target, part in zip(targets, torch.split(values, sizes), strict=True):
            target.copy_(part.view(target.shape))

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over all processes, value by value (any shape, the same everywhere)."""
        if self.size > 1:
            dist.all_reduce(values)
            values /= self.size
        return values

    def wait(self) -> None:
        """Wait for every process."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def joined(device: str | None, batch: int) -> Iterator[World]:
    """Join the processes that torchrun started, if it did, and leave them at the end.

    Args:
        device: `cpu`, `cuda`, `cuda:1`, ...; None for CUDA where there is one.
        batch: patches in one step over all processes.

    Raises:
        ConfigError: no such device, or a batch that does not divide among the processes.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if batch % size:
        raise ConfigError(
            f"{batch} patches do not divide among {size} processes",
            where=Argument("batch"),
            fix=Argument("batch", max(1, batch // size) * size),
        )
    chosen = _device(device, local_rank)
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    if size == 1:
        yield World(0, 1, 0, chosen)
        return
    # Functions of this module keep the group there is at its import as a default argument, and a
    # group kept to the end aborts the process (https://github.com/pytorch/pytorch/pull/179291).
    import_module("torch.distributed.nn.functional")
    backend = "nccl" if chosen.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield World(rank, size, local_rank, chosen)
    finally:
        dist.destroy_process_group()


@contextmanager
def convolutions(fastest: bool, deterministic: bool | None = None) -> Iterator[None]:
    """Say how cuDNN chooses its algorithms while the block runs.

    Args:
        fastest: try them all for every new shape and take the fastest.
        deterministic: take only those that give the same bits every time; None leaves this as is.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark = fastest
    cudnn.deterministic = before[1] if deterministic is None else deterministic
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before


def _device(name: str | None, local_rank: int) -> torch.device:
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"no device is called '{name}'", where=Argument("device")) from error
    if device.type != "cuda":
        return device
    index = local_rank if device.index is None else device.index
    if index >= torch.cuda.device_count():
        raise ConfigError(
            f"there are {torch.cuda.device_count()} CUDA devices, none is number {index}",
            where=Argument("device"),
            fix="--device cpu, or fewer processes with torchrun --nproc-per-node",
        )
    return torch.device("cuda", index)
