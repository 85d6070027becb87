"""Two runs side by side. Pure.

A difference is called noise unless both hold:

- the rounds differ: a two-sided Mann-Whitney U test of the per-round values, exact, gives a chance
  of at most 5 % (with three rounds a side even complete separation gives 10 %, so four are needed);
- it exceeds the machine's own: the change of the bicubic control between the runs, where both ran
  on the same machine. A machine that is 4 % slower today slows every network by as much.

For energies it must also exceed both stated uncertainties together.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgesr.bench.figures import ModelFigures, Result, RoundFigures
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
        control_ratio: the same figure of the control, second over first; None: not comparable.
        verdict: `differs`, `within noise` or `unknown` where there are too few rounds to tell.
    """

    model: str
    figure: str
    first: float
    second: float
    ratio: float
    chance: float | None
    control_ratio: float | None
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Two runs.

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


def compare(first: Result, second: Result) -> Comparison:
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
    differences = []
    for label in both:
        for figure in _FIGURES:
            control = [] if label in controls else controls
            ratios = [_ratio(figure, ours[name], theirs[name]) for name in control]
            found = _difference(figure, ours[label], theirs[label], (ratios or [None])[0])
            if found is not None:
                differences.append(found)
    return Comparison(
        differences=tuple(differences),
        same_machine=same_machine,
        only_first=tuple(label for label in ours if label not in theirs),
        only_second=tuple(label for label in theirs if label not in ours),
        cautions=tuple(_cautions(first, second, same_machine)),
    )


def _ratio(figure: _Figure, first: ModelFigures, second: ModelFigures) -> float | None:
    ours, theirs = figure.of_model(first), figure.of_model(second)
    return None if not ours or not theirs else theirs / ours


def _difference(
    figure: _Figure, first: ModelFigures, second: ModelFigures, control_ratio: float | None
) -> Difference | None:
    ours, theirs = figure.of_model(first), figure.of_model(second)
    if not ours or not theirs:
        return None
    ratio = theirs / ours
    chance, can_tell = _chance(figure, first.rounds, second.rounds)
    margin = math.hypot(figure.uncertainty(first) / ours, figure.uncertainty(second) / theirs)
    beyond = abs(math.log(ratio)) > max(margin, abs(math.log(control_ratio or 1.0)))
    if not can_tell:
        verdict = "unknown"
    else:
        verdict = "differs" if beyond and chance <= CHANCE else "within noise"
    return Difference(
        model=first.model.label,
        figure=figure.name,
        first=ours,
        second=theirs,
        ratio=ratio,
        chance=chance if figure.of_round else None,
        control_ratio=control_ratio,
        verdict=verdict,
    )


def _chance(
    figure: _Figure, first: Sequence[RoundFigures], second: Sequence[RoundFigures]
) -> tuple[float, bool]:
    """Return the test's p-value, and whether so many rounds could show a difference at all."""
    if figure.of_round is None:
        return 1.0, False
    ours = [value for row in first if (value := figure.of_round(row)) is not None]
    theirs = [value for row in second if (value := figure.of_round(row)) is not None]
    if not ours or not theirs:
        return 1.0, False
    can_tell = 2 / math.comb(len(ours) + len(theirs), len(ours)) <= CHANCE
    return chance_of_no_difference(ours, theirs), can_tell


def _cautions(first: Result, second: Result, same_machine: bool) -> list[str]:
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
