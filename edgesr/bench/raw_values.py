"""Whether the values of a recording can be those of a run, beyond what their types say."""

from collections.abc import Sequence

import numpy as np

from edgesr.bench.recording import Recording, SpanKind
from edgesr.power.sample import Array, Sample

_LARGEST = 1e12  # of a time in s or ms, or a power in mW; no figure of a report overflows


def check_values(recording: Recording) -> None:
    """Refuse a recording whose parts contradict each other.

    Raises:
        ValueError: labels or pictures that are not told apart, a sample or span of a model or round
            that is not there, a time that cannot be; the message says which.
    """
    _check_models(recording)
    _check_latencies(recording)
    _check_spans(recording)
    _check_samples(recording.samples)


def _check_models(recording: Recording) -> None:
    labels = [model.label for model in recording.models]
    if len(set(labels)) < len(labels):
        raise ValueError("two models have one label")
    if sum(model.is_control for model in recording.models) > 1:
        raise ValueError("two models are the control")


def _check_latencies(recording: Recording) -> None:
    latencies = recording.latencies
    if not ((latencies.model >= 0) & (latencies.model < len(recording.models))).all():
        raise ValueError("a latency is of a model that the run does not have")
    if (latencies.round < 0).any() or not _within(latencies.start_s):
        raise ValueError("a latency has a round or a time that cannot be")
    for name in ("end_to_end_ms", "latency_ms"):
        values: Array = getattr(latencies, name)
        if not _within(values) or not (values > 0).all():
            raise ValueError(f"{name} must be above 0")
    known = latencies.device_ms[~np.isnan(latencies.device_ms)]
    if not _within(known) or not (known >= 0).all():
        raise ValueError("device_ms must not be below 0")


def _check_spans(recording: Recording) -> None:
    latencies = recording.latencies
    there = set(zip(latencies.model.tolist(), latencies.round.tolist(), strict=True))
    for span in recording.spans:
        if span.model is not None and span.model >= len(recording.models):
            raise ValueError(f"a span is of model {span.model}, which the run does not have")
        if max(-span.start_s, span.end_s) > _LARGEST:
            raise ValueError("a span has a time that cannot be")
        if span.kind is SpanKind.MEASURED and (
            (span.model, span.round) not in there or not span.samples
        ):
            raise ValueError(f"round {span.round} of model {span.model} has no latencies")


def _check_samples(samples: Sequence[Sample]) -> None:
    times = np.array([sample.time_s for sample in samples])
    if not _within(times) or (np.diff(times) < 0).any():
        raise ValueError("the times of the power samples do not rise")
    values = [
        value
        for sample in samples
        for group in (sample.rails_mw, sample.loads_percent, sample.clocks_mhz)
        for value in group.values()
    ]
    if not _within(np.array(values)):
        raise ValueError("a power, load or clock that cannot be measured")


def _within(values: Array) -> bool:
    """Tell whether every value is finite and of a size that a measurement can have."""
    return bool((np.abs(values) <= _LARGEST).all())
