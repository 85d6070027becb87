"""The power sampler of a bench: one that fails costs the run its power, not its latencies."""

from collections.abc import Callable
from contextlib import ExitStack

from edgesr.bench.config import BenchConfig
from edgesr.errors import MissingError, PowerError
from edgesr.power.sampler import NoPower, PowerSampler, open_sampler


def open_power(stack: ExitStack, config: BenchConfig, say: Callable[[str], None]) -> PowerSampler:
    """Start the sampler asked for, to be stopped by `stack`.

    Args:
        stack: stops it.
        config: says which.
        say: takes a line on why there will be no power.

    Raises:
        ConfigError: there is no such sampler.
    """
    uses_gpu = any(wanted.runs_on_gpu for wanted in config.wanted)
    try:
        sampler = stack.enter_context(
            open_sampler(config.power, config.interval_s, "gpu" if uses_gpu else "cpu")
        )
    except (MissingError, PowerError) as error:
        sampler = NoPower(error.what)
        say(f"no power will be measured: {error}")
    else:
        if config.power != "none" and sampler.failure is not None:
            say(f"no power will be measured: {sampler.failure}")
    return sampler
