"""When two runs differ, and when that is noise."""

from dataclasses import replace

import pytest
from recordings import STATE, recording

from edgesr.bench.compare import RunComparison, compare_runs
from edgesr.bench.figures import BenchResult
from edgesr.bench.result import compute
from edgesr.errors import DataError


def verdicts(comparison: RunComparison, model: str = "student") -> dict[str, str]:
    return {item.figure: item.verdict for item in comparison.differences if item.model == model}


def run_of(
    seed: int,
    student_ms: float = 10.0,
    control_ms: float = 20.0,
    rounds: int = 5,
    has_power: bool = False,
) -> BenchResult:
    run = recording(rounds, latency_ms=(student_ms, control_ms), scatter=0.01, seed=seed)
    if not has_power:
        run = replace(run, power=replace(run.power, failure="power was not asked for"))
    return compute(run)


def test_a_run_does_not_differ_from_itself() -> None:
    run = run_of(1)
    comparison = compare_runs(run, run)
    assert comparison.same_machine
    assert set(verdicts(comparison).values()) == {"within noise", "unknown"}
    assert verdicts(comparison)["latency p99 ms"] == "unknown"  # rounds have no p99 to compare
    assert all(item.ratio == 1 for item in comparison.differences)


def test_runs_of_the_same_speed_are_rarely_told_apart() -> None:
    """Either test errs in 3 of 100 cases; both at once more rarely."""
    pairs = [compare_runs(run_of(2 * n), run_of(2 * n + 1)) for n in range(20)]
    told = sum(verdicts(pair)["latency p50 ms"] == "differs" for pair in pairs)
    assert told <= 2


def test_a_real_difference_is_found() -> None:
    comparison = compare_runs(run_of(1), run_of(2, student_ms=12.0))
    found = verdicts(comparison)
    assert found["latency p50 ms"] == "differs"
    assert found["images/s"] == "differs"
    (latency, *_) = [item for item in comparison.differences if item.model == "student"]
    assert latency.ratio == pytest.approx(1.2, rel=0.02)
    assert latency.chance == pytest.approx(2 / 252)
    assert verdicts(comparison, "bicubic")["latency p50 ms"] == "within noise"


def test_an_energy_must_also_exceed_the_stated_uncertainties() -> None:
    first = run_of(1, has_power=True)
    comparison = compare_runs(first, run_of(2, student_ms=13.0, has_power=True))
    assert verdicts(comparison)["energy J/image"] == "differs"
    slightly = compare_runs(first, run_of(2, student_ms=10.25, has_power=True))
    assert verdicts(slightly)["energy J/image"] == "within noise"


def test_a_slower_machine_is_not_a_slower_network() -> None:
    """Student and control are both 15 % slower: that is the machine."""
    comparison = compare_runs(run_of(1), run_of(2, student_ms=11.45, control_ms=23.0))
    assert verdicts(comparison)["latency p50 ms"] == "within noise"
    elsewhere = replace(run_of(2, 11.45, 23.0), before=replace(STATE, power_mode="7W"))
    other = compare_runs(run_of(1), elsewhere)
    assert not other.same_machine
    assert verdicts(other)["latency p50 ms"] == "differs"
    assert any("different machines or power modes" in caution for caution in other.cautions)


def test_three_rounds_are_too_few_to_tell() -> None:
    comparison = compare_runs(run_of(1, rounds=3), run_of(2, student_ms=20.0, rounds=3))
    assert set(verdicts(comparison).values()) == {"unknown"}
    enough = compare_runs(run_of(1, rounds=4), run_of(2, student_ms=20.0, rounds=4))
    assert verdicts(enough)["latency p50 ms"] == "differs"


def test_models_of_one_run_only_and_invalid_runs_are_named() -> None:
    first, second = run_of(1), run_of(2)
    renamed = replace(
        second,
        models=tuple(
            replace(item, model=replace(item.model, label="other"))
            if item.model.label == "student"
            else item
            for item in second.models
        ),
        invalid_reasons=("throttled: oc3",),
        interrupted=True,
    )
    comparison = compare_runs(first, renamed)
    assert (comparison.only_first, comparison.only_second) == (("student",), ("other",))
    assert "the second run is INVALID: throttled: oc3" in comparison.cautions
    assert "the second run was stopped before its end" in comparison.cautions


def test_nothing_in_common() -> None:
    first = run_of(1)
    with pytest.raises(DataError, match="no model is in both runs"):
        compare_runs(
            replace(first, models=first.models[:1]), replace(first, models=first.models[1:])
        )


def test_without_power_there_is_no_energy_to_compare() -> None:
    assert "energy J/image" not in verdicts(compare_runs(run_of(1), run_of(2)))
