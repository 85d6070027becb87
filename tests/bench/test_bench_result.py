"""Figures of recordings whose powers and times are known exactly."""

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest
from recordings import IDLE_MW, LATENCY_MS, WORK_MW, recording

from edgesr.bench.figures import BenchResult
from edgesr.bench.recording import Span
from edgesr.bench.result import compute
from edgesr.power.board_rails import Total

SCHEMA = json.loads((files("edgesr.bench") / "result.schema.json").read_text("utf-8"))


def check(result: BenchResult) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(
        json.loads(json.dumps(result.to_json(), allow_nan=False))
    )


def test_power_and_energy_of_constant_loads() -> None:
    result = compute(recording())
    check(result)
    assert result.is_valid
    assert result.power.idle_mw == pytest.approx(IDLE_MW)
    for figures, work_mw, latency_ms in zip(result.models, WORK_MW, LATENCY_MS, strict=True):
        power = figures.power
        assert power is not None
        assert power.average_mw == pytest.approx(work_mw)
        assert power.dynamic_mw == pytest.approx(work_mw - IDLE_MW)
        assert power.rails_mw == pytest.approx({"VDD_IN": work_mw, "VDD_SOC": work_mw / 5})
        assert power.energy_per_image_j == pytest.approx(1e-6 * work_mw * latency_ms)
        assert power.net_energy_per_image_j == pytest.approx(
            1e-6 * (work_mw - IDLE_MW) * latency_ms
        )
        assert power.is_run_to_run_known
        # A constant reading is uncertain by the sensor's step alone, the 1 mW it is printed in.
        assert 0 < power.average_uncertainty_mw < 2
        for row in figures.rounds:
            assert row.average_mw == pytest.approx(work_mw)


def test_times_and_throughput() -> None:
    student, control = compute(recording()).models
    assert student.end_to_end_ms.p50 == pytest.approx(10.0)
    assert student.latency_ms.max == pytest.approx(9.0)
    assert student.device_ms is not None
    assert student.device_ms.p99 == pytest.approx(8.0)
    assert student.images_per_s == pytest.approx(100.0)
    assert student.output_megapixels_per_s == pytest.approx(100 * 256 * 256 / 1e6)
    assert (student.samples, student.is_repeated) == (3600, True)
    assert [row.samples for row in control.rounds] == [600] * 3


def test_a_batch_is_many_images() -> None:
    run = recording()
    batched = replace(run, models=tuple(replace(item, images=4) for item in run.models))
    one, four = compute(run).models[0], compute(batched).models[0]
    assert four.images == 4 * one.images
    assert four.images_per_s == pytest.approx(4 * one.images_per_s)
    assert one.power is not None
    assert four.power is not None
    assert four.power.energy_per_image_j == pytest.approx(one.power.energy_per_image_j / 4)


def test_a_spread_of_speed_shows_in_the_uncertainty() -> None:
    quiet, noisy = (compute(recording(rounds=5, scatter=s)).models[0].power for s in (0.0, 0.05))
    assert quiet is not None
    assert noisy is not None
    relative = [p.energy_per_image_uncertainty_j / p.energy_per_image_j for p in (quiet, noisy)]
    assert relative[0] < 0.001
    assert 0.02 < relative[1] < 0.3


def test_power_that_failed_gives_a_report_without_it() -> None:
    run = recording()
    reason = "tegrastats was killed by signal 9 after 12 samples"
    result = compute(replace(run, power=replace(run.power, failure=reason)))
    check(result)
    assert all(figures.power is None for figures in result.models)
    assert result.power.why_none == reason
    assert result.notes[0] == f"no power was measured: {reason}"
    assert result.models[0].latency_ms.p50 == pytest.approx(9.0)


def test_samples_that_do_not_cover_the_windows() -> None:
    run = recording()
    result = compute(replace(run, samples=run.samples[:150]))
    check(result)
    assert result.models[0].power is None
    assert result.power.why_none is not None
    assert "power readings" in result.power.why_none


def test_the_short_last_window_of_a_stopped_run_is_left_out() -> None:
    run = recording()
    *spans, last = run.spans
    short = replace(last, end_s=last.start_s + 1.0, samples=50)
    result = compute(replace(run, spans=(*spans, short), interrupted=True))
    check(result)
    control = result.models[last.model or 0]
    assert control.power is not None
    assert [row.average_mw is None for row in control.rounds] == [False, False, True]
    assert any("stopped before its end" in note for note in result.notes)
    assert any("1 windows were too short" in note for note in result.notes)


def test_no_device_clock_no_device_time() -> None:
    run = recording()
    silent = replace(run.latencies, device_ms=run.latencies.device_ms * float("nan"))
    result = compute(replace(run, latencies=silent))
    check(result)
    assert result.models[0].device_ms is None


def test_a_sum_of_rails_is_named_as_one() -> None:
    run = recording()
    power = replace(run.power, total=Total(("VDD_IN", "VDD_SOC"), 0.3))
    result = compute(replace(run, power=power))
    assert any("no rail carries the whole board" in note for note in result.notes)
    assert result.power.is_sum
    assert result.models[0].power is not None
    assert result.models[0].power.average_mw == pytest.approx(1.2 * WORK_MW[0])


def test_power_of_another_machine_is_named_as_such() -> None:
    run = recording()
    assert not any("power is" in note for note in compute(run).notes)
    elsewhere = compute(replace(run, machine=replace(run.machine, l4t=None)))
    assert any("no Jetson: its power is another machine's" in note for note in elsewhere.notes)
    replayed = compute(replace(run, power=replace(run.power, source="replay")))
    assert any("not of the work measured here" in note for note in replayed.notes)


def test_models_that_were_not_reached_are_left_out() -> None:
    run = recording()
    times = run.latencies
    first = times.model == 0
    only = type(times)(*(getattr(times, name)[first] for name in times.__dataclass_fields__))
    spans = tuple(span for span in run.spans if not _is_of_second(span))
    result = compute(replace(run, latencies=only, spans=spans, interrupted=True))
    check(result)
    assert [figures.model.label for figures in result.models] == ["student"]


def _is_of_second(span: Span) -> bool:
    return span.model == 1


def test_the_schema_knows_every_field_and_no_other() -> None:
    """So that a new figure cannot be left out of the schema."""
    document = compute(recording()).to_json()
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for broken in (
        {**document, "new": 1},
        {key: value for key, value in document.items() if key != "notes"},
        {**document, "schema": "edgesr-bench/2"},
        {**document, "is_valid": "yes"},
    ):
        assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(broken)
    objects = [SCHEMA, *(part for part in SCHEMA["$defs"].values())]
    assert all(part["additionalProperties"] is False for part in objects)
    assert all(sorted(part["required"]) == sorted(part["properties"]) for part in objects)


def test_readings_that_failed_are_counted_in_the_notes() -> None:
    run = recording()
    power = replace(run.power, source="hwmon", failed_reads=3)
    notes = compute(replace(run, power=power)).notes
    assert any(note.startswith("hwmon failed 3 times to be read") for note in notes)
    assert not any("failed" in note for note in compute(run).notes)
