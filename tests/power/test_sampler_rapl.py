"""The energy counters of a CPU."""

import os
import time
from pathlib import Path

import pytest
from sensor_trees import POWERCAP, wait_for_samples

from edgesr.errors import MissingError, PowerError
from edgesr.power.sampler import open_sampler
from edgesr.power.sampler_rapl import find_zones, power_mw, rapl_sampler


def test_rapl_zones_and_total(two_sockets: Path) -> None:
    assert [zone.rail for zone in find_zones(two_sockets)] == [
        *("package-0", "package-0 core", "package-0 dram"),
        *("package-1", "package-1 core", "package-1 dram"),
    ]
    sampler = rapl_sampler(0.02, two_sockets)
    assert sampler.total.rails == ("package-0", "package-0 dram", "package-1", "package-1 dram")


def test_rapl_power_of_a_counter_that_runs(two_sockets: Path) -> None:
    counter = two_sockets / POWERCAP / "intel-rapl:0" / "energy_uj"
    with open_sampler("rapl", interval_s=0.05, root=two_sockets) as sampler:
        begin = time.monotonic()
        counter.write_text("2001000\n")  # 2 J more
        wait_for_samples(sampler, 4)
        end = time.monotonic()
    samples = sampler.samples()
    assert all(sample.rails_mw["package-1"] == 0 for sample in samples)
    joules = sum(
        sample.rails_mw["package-0"] / 1e3 * 2 * (sample.time_s - before)
        for sample, before in zip(
            samples, _interval_starts([sample.time_s for sample in samples]), strict=True
        )
    )
    assert joules == pytest.approx(2.0, rel=0.3)
    assert begin - 0.2 < samples[0].time_s < end


def _interval_starts(middles: list[float]) -> list[float]:
    """Samples are stamped with the middle of their interval, and intervals touch."""
    starts = [middles[0] - (middles[1] - middles[0]) / 2]
    for middle in middles[:-1]:
        starts.append(2 * middle - starts[-1])
    return starts


def test_rapl_counter_wraps_around() -> None:
    assert power_mw(5_000_000, 0.5, 1 << 32) == 10_000
    assert power_mw(1_000 - 4_294_000_000, 1.0, 4_294_967_296) == pytest.approx(968.296)


def test_rapl_without_permission(two_sockets: Path) -> None:
    counter = two_sockets / POWERCAP / "intel-rapl:0" / "energy_uj"
    counter.chmod(0o400)
    if os.geteuid() == 0:  # root may read everything: be nobody for a moment
        for folder in (two_sockets, *two_sockets.parents):
            if folder.stat().st_mode & 0o011 != 0o011:
                folder.chmod(folder.stat().st_mode | 0o011)
        os.seteuid(65534)
    else:
        counter.chmod(0)
    try:
        with pytest.raises(PowerError, match="only root may read") as caught:  # noqa: SIM117
            with open_sampler("rapl", root=two_sockets):
                pass
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
    assert caught.value.fix == f"sudo chmod a+r {two_sockets}/{POWERCAP}/intel-rapl*/energy_uj"


def test_rapl_that_is_not_there_or_not_a_number(tmp_path: Path, two_sockets: Path) -> None:
    with pytest.raises(MissingError, match="no RAPL"), open_sampler("rapl", root=tmp_path / "x"):
        pass
    (two_sockets / POWERCAP / "intel-rapl:1" / "energy_uj").write_text("none\n")
    with pytest.raises(PowerError, match="cannot be read"), open_sampler("rapl", root=two_sockets):
        pass
