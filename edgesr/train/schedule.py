"""The learning rate as a pure function of the step and of the share of the run that is done."""

import math

from edgesr.train.config import TrainConfig


def share_done(config: TrainConfig, step: int, elapsed_s: float) -> float:
    """Return the share of the run that is done, in [0, 1]: the larger of steps and wall time.

    Args:
        config: gives `steps` and `duration_s`.
        step: optimizer steps taken.
        elapsed_s: wall time over all invocations of the run.
    """
    by_steps = 0.0 if config.steps is None else step / config.steps
    by_time = 0.0 if config.duration_s is None else elapsed_s / config.duration_s
    return min(1.0, max(by_steps, by_time))


def learning_rate(config: TrainConfig, step: int, done: float) -> float:
    """Return the learning rate of one step.

    Args:
        config: gives the schedule and its numbers.
        step: steps taken before this one; counts the warm-up.
        done: share of the run that is done, from `share_done`.
    """
    warm = 1.0 if config.warmup == 0 else min(1.0, (step + 1) / config.warmup)
    if config.schedule == "cosine":
        rate = config.lr_min + (config.lr - config.lr_min) * (1 + math.cos(math.pi * done)) / 2
    else:
        rate = config.lr * 0.5 ** sum(done >= at for at in config.milestones)
    return warm * rate
