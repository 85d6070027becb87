"""What makes a run INVALID, and what only deserves a note."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from recordings import STATE, recording

from edgesr.bench.recording import Recording, SpanKind
from edgesr.bench.validity import judge
from edgesr.power.sample import Sample

RUN = recording()


def with_samples(change: Callable[[Sample], Sample], kind: SpanKind, share: float) -> Recording:
    """Change a share of the first model's samples (idle: of all) within spans of a kind."""
    spans = [s for s in RUN.spans if s.kind is kind and s.model in (0, None)]
    inside = [
        index
        for index, sample in enumerate(RUN.samples)
        if any(span.start_s <= sample.time_s < span.end_s for span in spans)
    ]
    chosen = set(inside[: round(share * len(inside))])
    samples = tuple(change(s) if i in chosen else s for i, s in enumerate(RUN.samples))
    return replace(RUN, samples=samples)


def clock(mhz: float, load: float = 99.0) -> Callable[[Sample], Sample]:
    def change(sample: Sample) -> Sample:
        return replace(
            sample,
            clocks_mhz={**sample.clocks_mhz, "gpu": mhz},
            loads_percent={**sample.loads_percent, "gpu": load},
        )

    return change


def test_a_steady_run_is_valid_without_a_note() -> None:
    verdict = judge(RUN)
    assert verdict.reasons == ()
    assert verdict.notes == ()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("oc1", "under-voltage alarm (oc1) 2 times"),
        ("oc2", "average over-current alarm (oc2) 2 times"),
        ("oc3", "over-current alarm (oc3) 2 times"),
        ("gpu thermal", "gpu thermal limit 2 times"),
    ],
)
def test_alarms_during_the_run(event: str, words: str) -> None:
    events = STATE.throttle_events
    before = replace(STATE, throttle_events={**events, event: 5})
    after = replace(STATE, throttle_events={**events, event: 7})
    (reason,) = judge(replace(RUN, before=before, after=after)).reasons
    assert reason == f"throttled: {words}"
    assert judge(replace(RUN, before=before, after=before)).reasons == ()


def test_a_thermal_alert_that_acts() -> None:
    hot = replace(STATE, throttling={"gpu-throttle-alert": 1})
    assert judge(replace(RUN, after=hot)).reasons == ("throttled: gpu-throttle-alert acted",)


def test_another_power_mode_after_the_run() -> None:
    (reason,) = judge(replace(RUN, after=replace(STATE, power_mode="7W"))).reasons
    assert reason == "the power mode went from 15W to 7W"


def test_a_dropped_clock() -> None:
    (reason,) = judge(with_samples(clock(306), SpanKind.MEASURED, 0.2)).reasons
    assert "the GPU clock fell from 612 to 306 MHz in 66 of 330 samples of student" in reason
    assert "jetson_clocks" in reason


def test_a_small_drop_or_a_short_one_is_none() -> None:
    assert judge(with_samples(clock(590), SpanKind.MEASURED, 1.0)).reasons == ()
    assert judge(with_samples(clock(306), SpanKind.MEASURED, 0.03)).reasons == ()


def test_a_gpu_without_work_may_clock_down() -> None:
    assert judge(with_samples(clock(306, load=0.0), SpanKind.MEASURED, 1.0)).reasons == ()
    assert judge(with_samples(clock(306), SpanKind.WARM_UP, 1.0)).reasons == ()


def test_a_cpu_network_is_judged_by_the_fastest_core() -> None:
    models = (replace(RUN.models[0], backend="onnxruntime"), RUN.models[1])
    assert judge(replace(RUN, models=models)).reasons == ()

    def slower(sample: Sample) -> Sample:
        return replace(
            sample,
            clocks_mhz={"cpu0": 1100.0, "cpu1": 729.0},
            loads_percent={"cpu0": 99.0, "cpu1": 99.0},
        )

    run = replace(with_samples(slower, SpanKind.MEASURED, 0.5), models=models)
    reasons = judge(run).reasons
    assert any("the CPU clock fell from 1497 to 1100 MHz" in reason for reason in reasons)


def test_a_clock_below_what_the_mode_allows() -> None:
    machine = replace(RUN.machine, mode_gpu_mhz=1020)
    (note,) = judge(replace(RUN, machine=machine)).notes
    assert note == "power mode 15W allows the GPU 1020 MHz, but it is limited to 612 MHz"


def test_an_idle_baseline_that_is_none() -> None:
    (note,) = judge(with_samples(clock(612, load=60.0), SpanKind.IDLE, 1.0)).notes
    assert "the GPU was 60 % busy in the idle baseline" in note


def test_a_busy_machine() -> None:
    (note,) = judge(replace(RUN, before=replace(STATE, load_average=5.0))).notes
    assert "load average 5.0 on 6 cores" in note


def test_drift() -> None:
    times = RUN.latencies
    last = (times.model == 0) & (times.round == times.round.max())
    slower = replace(times, latency_ms=np.where(last, 1.2 * times.latency_ms, times.latency_ms))
    (note,) = judge(replace(RUN, latencies=slower)).notes
    assert "student drifted: its median latency changed by +20 %" in note


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_clock_above_what_the_mode_allows(moment: str) -> None:
    machine = replace(RUN.machine, mode_gpu_mhz=918)
    fits = replace(RUN.before, power_mode="25W", gpu_limit_mhz=918)
    above = replace(fits, gpu_limit_mhz=1020)
    run = replace(RUN, machine=machine, before=fits, after=fits)
    assert judge(run).reasons == ()
    (reason,) = judge(replace(run, **{moment: above})).reasons
    assert reason == (
        f"power mode 25W allows the GPU 918 MHz, but its limit was 1020 MHz {moment} the run"
    )
