"""What spoils a run, and what a reader should know of it. Pure.

A run is INVALID where the machine was held down while it was measured: its figures are then those
of no steady state, and the reason is stated with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgesr.bench.environment import Machine, MachineState
from edgesr.bench.recording import Recording, Span, SpanKind
from edgesr.bench.statistics import times_of
from edgesr.boards.device import is_above_mode, is_below_mode
from edgesr.power.sample import Sample

CLOCK_DROP = 0.05
"""A clock this much below the highest of the run's windows has dropped."""

DROPPED_SHARE = 0.05
"""This share of a network's samples, and one in any case, may show a dropped clock."""

WORKING_PERCENT = 50.0
IDLE_GPU_PERCENT = 5.0
IDLE_CPU_PERCENT = 20.0
BUSY_LOAD = 0.5
DRIFT = 0.1
_GPU_BACKENDS = ("tensorrt",)


@dataclass(frozen=True)
class Verdict:
    """Whether a bench run is valid, and why not.

    Attributes:
        reasons: why it is INVALID; empty: it is valid.
        notes: what else should be known.
    """

    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def judge(recording: Recording) -> Verdict:
    """Return whether a run may be believed."""
    reasons = (*_throttled(recording), *_dropped(recording), *_above_mode(recording))
    notes = (*_busy(recording), *_below_mode(recording), *_drifted(recording))
    return Verdict(reasons, notes)


def _throttled(recording: Recording) -> Iterator[str]:
    before, after = recording.before, recording.after
    for name, count in after.throttle_events.items():
        more = count - before.throttle_events.get(name, count)
        if more > 0:
            yield f"throttled: {_event(name)} {more} times"
    for name in {**before.throttling, **after.throttling}:
        yield f"throttled: {name} acted"
    if before.power_mode != after.power_mode:
        yield f"the power mode went from {before.power_mode} to {after.power_mode}"


def _event(name: str) -> str:
    alarms = {"oc1": "under-voltage", "oc2": "average over-current", "oc3": "over-current"}
    return f"{alarms[name]} alarm ({name})" if name in alarms else f"{name} limit"


def _dropped(recording: Recording) -> Iterator[str]:
    """Clock drops: of the GPU for networks that run on it, else of the fastest CPU core.

    An idle processor clocks down by itself, so only samples under load are looked at where the
    sensor tells the load.
    """
    for unit in ("gpu", "cpu"):
        models = [
            index
            for index, model in enumerate(recording.models)
            if (model.backend in _GPU_BACKENDS) == (unit == "gpu")
        ]
        clocks = {
            index: np.array([mhz for window in recording.windows(index)
                             for mhz in _clocks(recording, window, unit)])
            for index in models
        }  # fmt: skip
        highest = max((values.max() for values in clocks.values() if len(values)), default=0.0)
        for index, values in clocks.items():
            low = values[values < (1 - CLOCK_DROP) * highest]
            if len(low) > max(1.0, DROPPED_SHARE * len(values)):
                yield (
                    f"the {unit.upper()} clock fell from {highest:.0f} to {low.min():.0f} MHz in "
                    f"{len(low)} of {len(values)} samples of {recording.models[index].label} "
                    "(sudo jetson_clocks keeps clocks up)"
                )


def _clocks(recording: Recording, window: Span, unit: str) -> list[float]:
    """Clocks in MHz of a unit while it works; the fastest core stands for the CPU."""
    found = []
    for sample in _within(recording, window):
        names = [name for name in sample.clocks_mhz if name.startswith(unit)]
        loads = sample.loads_percent
        working = [name for name in names if loads.get(name, 100.0) >= WORKING_PERCENT]
        if working:
            found.append(max(sample.clocks_mhz[name] for name in working))
    return found


def _within(recording: Recording, span: Span) -> list[Sample]:
    return [sample for sample in recording.samples if span.start_s <= sample.time_s <= span.end_s]


def _busy(recording: Recording) -> Iterator[str]:
    load, cores = recording.before.load_average, recording.machine.cpu_cores
    if load > BUSY_LOAD * cores:
        yield (
            f"other programs were running before the run (load average {load:.1f} on {cores} "
            "cores), so expect slow and scattered samples"
        )
    for span in recording.spans:
        if span.kind is not SpanKind.IDLE:
            continue
        samples = _within(recording, span)
        gpu = [s.loads_percent["gpu"] for s in samples if "gpu" in s.loads_percent]
        cpu = [load for s in samples for name, load in s.loads_percent.items()
               if name.startswith("cpu")]  # fmt: skip
        for name, loads, limit in (("GPU", gpu, IDLE_GPU_PERCENT), ("CPU", cpu, IDLE_CPU_PERCENT)):
            if loads and float(np.mean(loads)) > limit:
                yield (
                    f"the {name} was {np.mean(loads):.0f} % busy in the idle baseline, so dynamic "
                    "power is understated"
                )


def _above_mode(recording: Recording) -> Iterator[str]:
    """Tell a clock that the power mode forbids: the figures are those of no mode."""
    before, after = recording.before, recording.after
    for moment, state in (("before", before), ("after", after)):
        words = clock_above_mode(recording.machine, state)
        if words is not None and not (
            state is after and clock_above_mode(recording.machine, before)
        ):
            yield f"{words} {moment} the run"


def clock_above_mode(machine: Machine, state: MachineState) -> str | None:
    """Return in words that the GPU may clock higher than the power mode allows, or None."""
    if not is_above_mode(state.gpu_limit_mhz, machine.mode_gpu_mhz):
        return None
    return (
        f"power mode {state.power_mode} allows the GPU {machine.mode_gpu_mhz:.0f} MHz, but its "
        f"limit was {state.gpu_limit_mhz:.0f} MHz"
    )


def _below_mode(recording: Recording) -> Iterator[str]:
    """Tell a power mode that names a clock which the board never reaches."""
    allowed = recording.machine.mode_gpu_mhz
    limit = recording.before.gpu_limit_mhz
    if is_below_mode(limit, allowed):
        yield (
            f"power mode {recording.before.power_mode} allows the GPU {allowed:.0f} MHz, but it is "
            f"limited to {limit:.0f} MHz"
        )


def _drifted(recording: Recording) -> Iterator[str]:
    latencies = recording.latencies
    for index, model in enumerate(recording.models):
        rounds = [window.round for window in recording.windows(index)]
        if len(rounds) < 2:
            continue
        first, last = (
            times_of(latencies.latency_ms[(latencies.model == index) & (latencies.round == number)])
            for number in (rounds[0], rounds[-1])
        )
        change = last.p50 / first.p50 - 1
        if abs(change) > DRIFT:
            yield (
                f"{model.label} drifted: its median latency changed by {100 * change:+.0f} % from "
                "the first round to the last"
            )
