"""`edgesr upscale --ray`: the same pictures, on the machines of a cluster."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from edgesr.cli._console import progress
from edgesr.errors import ConfigError, EdgesrError

if TYPE_CHECKING:
    from edgesr.cli._jobs import UpscaleJob
    from edgesr.cluster.task import Order
    from edgesr.library.upscaled import Upscaled


def spread_pictures(
    address: str, jobs: "tuple[UpscaleJob, ...]", order: "Order"
) -> "Iterator[tuple[UpscaleJob, Upscaled | EdgesrError]]":
    """Yield each job as it is done, and what is told of it or why it failed.

    Raises:
        ConfigError: no cluster answers at the address.
    """
    from edgesr.cli._moving import MovingJob
    from edgesr.cluster.spread import connected, spread
    from edgesr.cluster.task import TaskResult

    pictures = [job for job in jobs if not isinstance(job, MovingJob)]
    for job in jobs:
        if isinstance(job, MovingJob):
            yield (
                job,
                ConfigError("--ray spreads pictures, nothing that moves", where=job.input),
            )
    if not pictures:
        return
    with connected(address), progress("on Ray", len(pictures)) as advance:
        for job, outcome in spread(pictures, order):
            advance()
            if isinstance(outcome, TaskResult):
                yield job, replace(outcome.told, input=str(job.input), output=str(job.output))
            else:
                yield job, outcome
