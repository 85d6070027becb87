"""The figures of a run, as result.json holds them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgesr.bench.environment import Machine, MachineState
from edgesr.bench.recording import BenchModel, BenchSettings
from edgesr.bench.statistics import Times

SCHEMA = "edgesr-bench/1"
"""Name and version of the format; its JSON schema is result.schema.json.

`msgspec.json.schema` derives one from these classes, which is not equal: fields that are unknown
pass it, it does not ask for this name, and it has a class's first line where the other has the unit
and meaning of every figure (10 descriptions for 85).
"""


@dataclass(frozen=True)
class PowerFigures:
    """Power and energy of a network; uncertainties hold 99 times in 100 (edgesr/power/energy.py).

    Attributes:
        average_mw: mean power of the total over the measured windows: the figure of the paper.
        average_uncertainty_mw: of it.
        dynamic_mw: above the idle baseline; None where there is none.
        dynamic_uncertainty_mw: of it.
        peak_mw: highest reading.
        rails_mw: mean of each rail.
        energy_per_image_j: gross.
        energy_per_image_uncertainty_j: from sampling, sensor step and run to run.
        net_energy_per_image_j: above idle; None where there is no baseline.
        net_energy_per_image_uncertainty_j: of it.
        is_run_to_run_known: whether there were several windows.
    """

    average_mw: float
    average_uncertainty_mw: float
    dynamic_mw: float | None
    dynamic_uncertainty_mw: float | None
    peak_mw: float
    rails_mw: dict[str, float]
    energy_per_image_j: float
    energy_per_image_uncertainty_j: float
    net_energy_per_image_j: float | None
    net_energy_per_image_uncertainty_j: float | None
    is_run_to_run_known: bool


@dataclass(frozen=True)
class RoundFigures:
    """One measured window; mean power and energy of an image are None without power."""

    round: int
    samples: int
    latency_p50_ms: float
    images_per_s: float
    average_mw: float | None
    energy_per_image_j: float | None


@dataclass(frozen=True)
class ModelFigures:
    """Figures of one network.

    Attributes:
        model: what it is, with its cold start (`load_ms`, `first_image_ms`).
        samples: measured calls.
        images: pictures in them.
        is_repeated: whether more samples were taken than asked for, to fill the windows.
        latency_ms: host to host, of a call.
        end_to_end_ms: 8-bit picture to 8-bit picture.
        device_ms: by the device's own clock; None where the backend does not tell.
        images_per_s: end to end.
        output_megapixels_per_s: the same in pixels of the result.
        power: None where power was not measured.
        rounds: every window by itself.
    """

    model: BenchModel
    samples: int
    images: int
    is_repeated: bool
    latency_ms: Times
    end_to_end_ms: Times
    device_ms: Times | None
    images_per_s: float
    output_megapixels_per_s: float
    power: PowerFigures | None
    rounds: tuple[RoundFigures, ...]


@dataclass(frozen=True)
class PowerSource:
    """Where the power came from, or why there is none.

    Attributes:
        source: name of the sampler, or `none`.
        total: how the total is made; empty: no power.
        is_sum: whether the total is a sum of rails that may miss something.
        interval_s: that was asked for.
        real_interval_s: median time between samples; None: no samples.
        samples: number of samples.
        idle_mw: mean power of the idle baseline; None: none.
        idle_uncertainty_mw: of it.
        why_none: why there are no power figures; None: there are.
    """

    source: str
    total: str
    is_sum: bool
    interval_s: float
    real_interval_s: float | None
    samples: int
    idle_mw: float | None
    idle_uncertainty_mw: float | None
    why_none: str | None


@dataclass(frozen=True)
class BenchResult:
    """All figures of a run; see the classes above and recording.py."""

    is_valid: bool
    invalid_reasons: tuple[str, ...]
    notes: tuple[str, ...]
    interrupted: bool
    started: str
    settings: BenchSettings
    machine: Machine
    before: MachineState
    after: MachineState
    power: PowerSource
    models: tuple[ModelFigures, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document of result.json."""
        document: dict[str, Any] = rounded({"schema": SCHEMA} | asdict(self))
        return document


def rounded(value: Any) -> Any:
    """Round every float in a document; what is not finite becomes null."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [rounded(item) for item in value]
    return value
