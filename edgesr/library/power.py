"""Power: measured while a block of code runs, and read from what another tool recorded."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgesr.errors import Argument, ConfigError, MissingError, PowerError, shell

if TYPE_CHECKING:
    from edgesr.power.board_rails import Total
    from edgesr.power.sample import Sample


@dataclass(frozen=True)
class PowerUse:
    """What a block of code took.

    Attributes:
        source: the sensor: `tegrastats`, `hwmon`, `nvml`, `rapl` or `replay`.
        total_of: the rail, or the rails whose sum, that is the total.
        duration_s: length of the block.
        mean_w: mean power of the total, over the part in which the sensor had settled.
        peak_w: highest reading of the total in that part.
        energy_j: mean power times length.
        uncertainty_j: within which the energy lies about 99 times in 100, but for the sensor's own
            calibration (edgesr/power/energy.py).
        rails_w: mean power of every rail by its name.
    """

    source: str
    total_of: str
    duration_s: float
    mean_w: float
    peak_w: float
    energy_j: float
    uncertainty_j: float
    rails_w: Mapping[str, float]


class PowerMeter:
    """Power of a block of code; `measure_power` makes one.

    Attributes:
        source: the sensor that is read.
    """

    def __init__(self, source: str, total: "Total", step_mw: float) -> None:
        self.source = source
        self._total, self._step_mw = total, step_mw
        self._span: tuple[float, float] | None = None
        self._samples: Sequence[Sample] = ()

    @property
    def result(self) -> PowerUse:
        """What the block took, once it has ended.

        Raises:
            PowerError: it has not ended, was too short for the sensor, or readings failed to come.
        """
        from edgesr.power.measure import measure

        if self._span is None:
            raise PowerError("the block that is measured has not ended")
        total = self._total if self._total.rails else None
        window = measure(self._samples, *self._span, total, self._step_mw)
        length = window.duration_s
        return PowerUse(
            source=self.source,
            total_of=window.total_of.name,
            duration_s=length,
            mean_w=window.total.mean_mw / 1e3,
            peak_w=window.total.peak_mw / 1e3,
            energy_j=window.total.mean_mw / 1e3 * length,
            uncertainty_j=window.total.uncertainty_mw / 1e3 * length,
            rails_w={name: energy.mean_mw / 1e3 for name, energy in window.rails.items()},
        )

    def end(self, span: tuple[float, float], samples: "Sequence[Sample]") -> None:
        """Take the readings of the block.

        Args:
            span: its begin and end in s of the monotonic clock.
            samples: of the sensor, on the same clock.
        """
        self._span, self._samples = span, samples


@contextmanager
def measure_power(
    power: str = "auto", *, interval_s: float = 0.1, runs_on: Literal["gpu", "cpu"] = "gpu"
) -> Iterator[PowerMeter]:
    """Measure the power of this machine while the block runs.

    A sensor of the whole board or chip is read: what other programs take is in it. Ten seconds and
    more give a figure that can be trusted.

    Args:
        power: `tegrastats`, `hwmon`, `nvml`, `rapl`, `replay:FILE` for a recorded log, or `auto`
            for the first of them that this machine has.
        interval_s: time between readings.
        runs_on: what the work runs on; on a PC `auto` tries the sensor of that first.

    Yields:
        A meter, whose `result` can be read when the block has ended.

    Raises:
        ConfigError: there is no such source, or the interval is not above 0.
        MissingError: this machine has no sensor, or not the one that was named.
        PowerError: the sensor gives no power.
    """
    from edgesr.power.sampler import NoPower, open_sampler

    with open_sampler(power, interval_s, runs_on) as sampler:
        if isinstance(sampler, NoPower):
            raise MissingError(f"no power can be read here: {sampler.failure}", fix="edgesr doctor")
        meter = PowerMeter(sampler.source, sampler.total, sampler.step_mw)
        start_s = time.monotonic()
        try:
            yield meter
        finally:
            meter.end((start_s, time.monotonic()), sampler.samples())


def read_power_log(
    log: str | Path,
    begin: float | str | None = None,
    end: float | str | None = None,
    *,
    interval_s: float | None = None,
) -> dict[str, Any]:
    """Read power that was recorded: mean, peak and energy of every rail, idle and busy spans.

    Args:
        log: file of tegrastats, jtop, zeus or CodeCarbon, or power.csv of a bench.
        begin: where to begin, in s from the first line or as the board's `HH:MM:SS`; None: there.
        end: where to end, written likewise; None: at the last line.
        interval_s: time between the lines of a log without time stamps; None: 1 s.

    Returns:
        A document of the format `edgesr-power/1`, energies in J and powers in mW; for zeus and
        CodeCarbon, which keep energies only, of the format `edgesr-energy/1`. `edgesr power --json`
        prints the same.

    Raises:
        PowerError: the file cannot be read, or holds no power there.
        ConfigError: `begin` or `end` is no time, the log has no time of day, or `interval_s` was
            given for a log with times of its own.
    """
    from edgesr.power.energy_windows import windows_report
    from edgesr.power.log_report import moment_s, report
    from edgesr.power.power_log import read_power_samples, read_windows
    from edgesr.power.tegrastats_log import DEFAULT_INTERVAL_S

    path = Path(log)
    found = read_windows(path)
    if found is not None:
        if interval_s is not None:
            raise _has_own_times(path)
        tool, windows = found
        return windows_report(windows, tool, path.name)
    recorded = read_power_samples(path, DEFAULT_INTERVAL_S if interval_s is None else interval_s)
    if interval_s is not None and not recorded.is_paced_by_interval:
        raise _has_own_times(path)
    begin_s, end_s = (
        moment_s(moment, recorded.start, name) if isinstance(moment, str) else moment
        for moment, name in ((begin, "begin"), (end, "end"))
    )
    return report(recorded, begin_s, end_s, where=path)


def _has_own_times(log: Path) -> ConfigError:
    return ConfigError(
        f"{log} has times of its own",
        where=Argument("interval_s"),
        fix=f"edgesr power {shell(log)}",
    )
