"""From a recording to its figures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgesr.bench.figures import BenchResult, ModelFigures, PowerFigures, PowerSource, RoundFigures
from edgesr.bench.recording import BenchModel, Recording, Span, SpanKind
from edgesr.bench.statistics import times_of
from edgesr.bench.validity import judge
from edgesr.errors import PowerError
from edgesr.power.energy import COVERAGE, MIN_WINDOW_S
from edgesr.power.measure import SteadyWindow, measure, per_image


def compute(recording: Recording) -> BenchResult:
    """Return the figures of a recording."""
    verdict = judge(recording)
    power = _measure_power(recording)
    models = tuple(
        _figures(recording, index, power)
        for index in range(len(recording.models))
        if (recording.latencies.model == index).any()
    )
    return BenchResult(
        is_valid=not verdict.reasons,
        invalid_reasons=verdict.reasons,
        notes=(*_remarks(recording, models, power), *verdict.notes),
        interrupted=recording.interrupted,
        started=recording.started,
        settings=recording.settings,
        machine=recording.machine,
        before=recording.before,
        after=recording.after,
        power=_source(recording, power),
        models=models,
    )


@dataclass(frozen=True)
class _Measured:
    """Power of idling, and of each model's windows that can be measured, beside their spans."""

    idle: SteadyWindow | None
    windows: Mapping[int, Sequence[tuple[Span, SteadyWindow]]]
    why_none: str | None
    left_out: int = 0


def _measure_power(recording: Recording) -> _Measured:
    if recording.power.failure is not None:
        return _Measured(None, {}, recording.power.failure)
    idle: SteadyWindow | None = None
    windows: dict[int, list[tuple[Span, SteadyWindow]]] = {}
    reasons = []
    for span in recording.spans:
        if span.kind not in (SpanKind.IDLE, SpanKind.MEASURED):
            continue
        window = _window(recording, span)
        if isinstance(window, PowerError):
            reasons.append(window.what)
        elif span.model is None:
            idle = window
        else:
            windows.setdefault(span.model, []).append((span, window))
    if not windows:
        return _Measured(None, {}, reasons[0] if reasons else "no window was measured")
    return _Measured(idle, windows, None, len(reasons))


def _window(recording: Recording, span: Span) -> SteadyWindow | PowerError:
    """Return the power of a span; the last one of a run that was stopped may be too short."""
    power = recording.power
    try:
        return measure(recording.samples, span.start_s, span.end_s, power.total, power.step_mw)
    except PowerError as error:
        return error


def _figures(recording: Recording, index: int, power: _Measured) -> ModelFigures:
    latencies, model = recording.latencies, recording.models[index]
    own = latencies.model == index
    samples = int(own.sum())
    device_ms = latencies.device_ms[own]
    pixels = recording.settings.width * recording.settings.height * model.scale**2
    images_per_s = samples * model.images / (1e-3 * float(latencies.end_to_end_ms[own].sum()))
    windows = power.windows.get(index, ())
    by_round = {span.round: window for span, window in windows}
    return ModelFigures(
        model=model,
        samples=samples,
        images=samples * model.images,
        is_repeated=samples > recording.settings.samples,
        latency_ms=times_of(latencies.latency_ms[own]),
        end_to_end_ms=times_of(latencies.end_to_end_ms[own]),
        device_ms=None if np.isnan(device_ms).any() else times_of(device_ms),
        images_per_s=images_per_s,
        output_megapixels_per_s=1e-6 * pixels * images_per_s,
        power=_power_figures(windows, model, power.idle) if windows else None,
        rounds=tuple(
            _round(recording, index, span, by_round.get(span.round))
            for span in recording.windows(index)
        ),
    )


def _round(
    recording: Recording, index: int, span: Span, window: SteadyWindow | None
) -> RoundFigures:
    latencies = recording.latencies
    own = (latencies.model == index) & (latencies.round == span.round)
    seconds = 1e-3 * float(latencies.end_to_end_ms[own].sum())
    images = span.samples * recording.models[index].images
    return RoundFigures(
        round=span.round or 0,
        samples=span.samples,
        latency_p50_ms=times_of(latencies.latency_ms[own]).p50,
        images_per_s=images / seconds,
        average_mw=None if window is None else window.total.mean_mw,
        energy_per_image_j=None if window is None else per_image([window], [images]).gross.value_j,
    )


def _power_figures(
    measured: Sequence[tuple[Span, SteadyWindow]], model: BenchModel, idle: SteadyWindow | None
) -> PowerFigures:
    windows = [window for _, window in measured]
    images = [span.samples * model.images for span, _ in measured]
    energy = per_image(windows, images, idle)
    weights = [window.duration_s for window in windows]
    average = _weighted([window.total.mean_mw for window in windows], weights)
    # Quantisation errs alike in every window, so the uncertainties are averaged, not pooled; the
    # spread from window to window is added.
    within = _weighted([window.total.uncertainty_mw for window in windows], weights)
    spread = float(np.std([window.total.mean_mw for window in windows])) / np.sqrt(len(windows))
    uncertainty = float(np.hypot(within, COVERAGE * spread))
    dynamic = dynamic_uncertainty = None
    if idle is not None:
        dynamic = average - idle.total.mean_mw
        dynamic_uncertainty = float(np.hypot(uncertainty, idle.total.uncertainty_mw))
    return PowerFigures(
        average_mw=average,
        average_uncertainty_mw=uncertainty,
        dynamic_mw=dynamic,
        dynamic_uncertainty_mw=dynamic_uncertainty,
        peak_mw=max(window.total.peak_mw for window in windows),
        rails_mw={
            name: _weighted([window.rails[name].mean_mw for window in windows], weights)
            for name in windows[0].rails
            if all(name in window.rails for window in windows)
        },
        energy_per_image_j=energy.gross.value_j,
        energy_per_image_uncertainty_j=energy.gross.uncertainty_j,
        net_energy_per_image_j=None if energy.net is None else energy.net.value_j,
        net_energy_per_image_uncertainty_j=None if energy.net is None else energy.net.uncertainty_j,
        is_run_to_run_known=energy.is_run_to_run_known,
    )


def _weighted(values: list[float], weights: list[float]) -> float:
    return float(np.average(values, weights=weights))


def _source(recording: Recording, measured: _Measured) -> PowerSource:
    power, samples, idle = recording.power, recording.samples, measured.idle
    steps = np.diff([sample.time_s for sample in samples])
    return PowerSource(
        source=power.source,
        total=power.total.name,
        is_sum=power.total.is_sum,
        interval_s=power.interval_s,
        real_interval_s=float(np.median(steps)) if len(steps) else None,
        samples=len(samples),
        idle_mw=None if idle is None else idle.total.mean_mw,
        idle_uncertainty_mw=None if idle is None else idle.total.uncertainty_mw,
        why_none=measured.why_none,
    )


def _remarks(
    recording: Recording, models: tuple[ModelFigures, ...], power: _Measured
) -> tuple[str, ...]:
    """Say what was left out, repeated or shortened."""
    lines = []
    settings, why_none = recording.settings, power.why_none
    if recording.interrupted:
        lines.append("the run was stopped before its end; the figures are those of what was done")
    if why_none is not None:
        lines.append(f"no power was measured: {why_none}")
    if why_none is None and recording.power.source == "replay":
        lines.append("power is replayed from a recorded log: it is not of the work measured here")
    if why_none is None and recording.power.source == "tegrastats" and not recording.machine.l4t:
        lines.append(
            "tegrastats ran on a machine that is no Jetson: its power is another machine's"
        )
    if recording.power.failed_reads:
        lines.append(
            f"{recording.power.source} failed {recording.power.failed_reads} times to be read "
            f"(beside {len(recording.samples)} samples); where that leaves a gap, the uncertainty "
            "covers it"
        )
    if power.left_out:
        lines.append(f"{power.left_out} windows were too short for the power sensor and left out")
    repeated = [figures for figures in models if figures.is_repeated]
    if repeated:
        which = ", ".join(f"{item.model.label} {item.samples}" for item in repeated)
        lines.append(
            f"{settings.samples} samples do not fill windows of {settings.window_s:g} s, so more "
            f"were taken: {which}"
        )
    if why_none is None and settings.window_s < MIN_WINDOW_S:
        lines.append(
            f"windows may be as short as {settings.window_s:g} s; energies are to be trusted from "
            f"{MIN_WINDOW_S:g} s on"
        )
    if why_none is None and recording.power.total.is_sum:
        lines.append(
            f"no rail carries the whole board; the total is the {recording.power.total.name}"
        )
    return tuple(lines)
