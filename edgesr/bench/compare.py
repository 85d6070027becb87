"""Two runs side by side. Pure.

A difference is called noise unless all of these hold:

- the rounds differ: a two-sided Mann-Whitney U test of the per-round values, exact, gives a chance
  of at most 5 % (with three rounds a side even complete separation gives 10 %, so four are needed);
- they differ still, in the same direction, when each is divided by the value of the bicubic control
  in the same round, where both runs are of the same machine: one that is 15 % slower today slows
  every network;
- energies differ by more than both stated uncertainties together.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from edgesr.bench.figures import BenchResult, ModelFigures, RoundFigures
from edgesr.bench.statistics import chance_of_no_difference
from edgesr.errors import DataError

CHANCE = 0.05


@dataclass(frozen=True)
class Difference:
    """One figure of one model in both runs.

    Attributes:
        model: its label.
        figure: name of the figure, with its unit.
        first: value in the first run.
        second: in the second.
        ratio: second over first.
        chance: of such rounds if there were no difference; None: no rounds to compare.
        chance_by_control: the same of the values over those of the control; None: no control.
        verdict: `differs`, `within noise` or `unknown` where there are too few rounds to tell.
    """

    model: str
    figure: str
    first: float
    second: float
    ratio: float
    chance: float | None
    chance_by_control: float | None
    verdict: str


@dataclass(frozen=True)
class RunComparison:
    """Two bench runs side by side, figure by figure.

    Attributes:
        differences: of every model that is in both.
        same_machine: whether both ran on the same machine in the same power mode.
        only_first: labels of models that only the first run has.
        only_second: of those that only the second has.
        cautions: why the comparison may mislead.
    """

    differences: tuple[Difference, ...]
    same_machine: bool
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class _Figure:
    name: str
    of_model: Callable[[ModelFigures], float | None]
    of_round: Callable[[RoundFigures], float | None] | None
    uncertainty: Callable[[ModelFigures], float] = lambda figures: 0.0


_FIGURES = (
    _Figure("latency p50 ms", lambda m: m.latency_ms.p50, lambda r: r.latency_p50_ms),
    _Figure("latency p99 ms", lambda m: m.latency_ms.p99, None),
    _Figure("images/s", lambda m: m.images_per_s, lambda r: r.images_per_s),
    _Figure(
        "energy J/image",
        lambda m: None if m.power is None else m.power.energy_per_image_j,
        lambda r: r.energy_per_image_j,
        lambda m: 0.0 if m.power is None else m.power.energy_per_image_uncertainty_j,
    ),
)


def compare_runs(first: BenchResult, second: BenchResult) -> RunComparison:
    """Compare two runs.

    Raises:
        DataError: no model is in both.
    """
    ours = {figures.model.label: figures for figures in first.models}
    theirs = {figures.model.label: figures for figures in second.models}
    both = [label for label in ours if label in theirs]
    if not both:
        raise DataError(
            f"no model is in both runs: {', '.join(ours)}; {', '.join(theirs)}",
            fix="run both with the same --model",
        )
    same = first.machine.model == second.machine.model and first.machine.cpu == second.machine.cpu
    same_machine = same and first.before.power_mode == second.before.power_mode
    controls = [label for label in both if ours[label].model.is_control] if same_machine else []
    control = (ours[controls[0]], theirs[controls[0]]) if controls else None
    differences = (
        _difference(figure, ours[label], theirs[label], None if label in controls else control)
        for label in both
        for figure in _FIGURES
    )
    return RunComparison(
        differences=tuple(found for found in differences if found is not None),
        same_machine=same_machine,
        only_first=tuple(label for label in ours if label not in theirs),
        only_second=tuple(label for label in theirs if label not in ours),
        cautions=tuple(_cautions(first, second, same_machine)),
    )


def _difference(
    figure: _Figure,
    first: ModelFigures,
    second: ModelFigures,
    control: tuple[ModelFigures, ModelFigures] | None,
) -> Difference | None:
    ours, theirs = figure.of_model(first), figure.of_model(second)
    if not ours or not theirs:
        return None
    test = _test(_by_round(figure, first), _by_round(figure, second))
    by_control = None
    if control is not None:
        by_control = _test(
            _over(_by_round(figure, first), _by_round(figure, control[0])),
            _over(_by_round(figure, second), _by_round(figure, control[1])),
        )
    margin = math.hypot(figure.uncertainty(first), figure.uncertainty(second))
    return Difference(
        model=first.model.label,
        figure=figure.name,
        first=ours,
        second=theirs,
        ratio=theirs / ours,
        chance=None if test is None else test.chance,
        chance_by_control=None if by_control is None else by_control.chance,
        verdict=_verdict(test, by_control, abs(theirs - ours) > margin),
    )


def _verdict(test: "_Test | None", by_control: "_Test | None", is_beyond_uncertainty: bool) -> str:
    if test is None or not test.can_tell:
        return "unknown"
    differs = is_beyond_uncertainty and test.chance <= CHANCE
    if by_control is not None:
        differs = differs and by_control.chance <= CHANCE and by_control.rises == test.rises
    return "differs" if differs else "within noise"


@dataclass(frozen=True)
class _Test:
    """Of two sets of rounds: its p-value, the direction, whether so few can differ at all."""

    chance: float
    rises: bool
    can_tell: bool


def _test(ours: Mapping[int, float], theirs: Mapping[int, float]) -> _Test | None:
    if not ours or not theirs:
        return None
    first, second = list(ours.values()), list(theirs.values())
    return _Test(
        chance=chance_of_no_difference(first, second),
        rises=median(second) > median(first),
        can_tell=2 / math.comb(len(first) + len(second), len(first)) <= CHANCE,
    )


def _by_round(figure: _Figure, figures: ModelFigures) -> dict[int, float]:
    if figure.of_round is None:
        return {}
    values = {row.round: figure.of_round(row) for row in figures.rounds}
    return {number: value for number, value in values.items() if value is not None}


def _over(values: Mapping[int, float], control: Mapping[int, float]) -> dict[int, float]:
    return {
        number: value / control[number] for number, value in values.items() if number in control
    }


def _cautions(first: BenchResult, second: BenchResult, same_machine: bool) -> list[str]:
    lines = []
    if not same_machine:
        lines.append("different machines or power modes: the control shows no drift then")
    for name, run in (("first", first), ("second", second)):
        lines += [f"the {name} run is INVALID: {reason}" for reason in run.invalid_reasons]
        if run.interrupted:
            lines.append(f"the {name} run was stopped before its end")
    sizes = [(run.settings.width, run.settings.height) for run in (first, second)]
    if sizes[0] != sizes[1]:
        lines.append(f"pictures of {sizes[0][0]}x{sizes[0][1]} against {sizes[1][0]}x{sizes[1][1]}")
    return lines
