"""Replay, the choice of a sampler, and the pace of those that poll."""

import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sensor_trees import has_nvidia, wait_for_samples

from edgesr.errors import ConfigError, PowerError
from edgesr.power.board_rails import Total
from edgesr.power.sample import Sample
from edgesr.power.sampler import open_sampler
from edgesr.power.sampler_polling import PollingSampler
from edgesr.power.sampler_replay import ReplaySampler
from edgesr.power.tegrastats_log import read_tegrastats_log

LOG = Path(__file__).parent / "data" / "logs" / "orin_nano_maxn_super_100ms_tensorrt.txt"


def test_replay_at_the_logs_own_pace() -> None:
    now = 1000.0
    sampler = ReplaySampler(LOG, clock=lambda: now)
    assert sampler.samples() == () and sampler.failure is None
    sampler.start()
    assert [sample.time_s for sample in sampler.samples()] == [1000.0]
    now = 1010.0
    log = read_tegrastats_log(LOG)
    until = [sample for sample in log.samples if sample.time_s <= 10.0]
    assert len(sampler.samples()) == len(until) == 92
    assert sampler.samples()[-1].rails_mw == until[-1].rails_mw
    assert sampler.samples()[-1].time_s == pytest.approx(1000 + until[-1].time_s)
    assert sampler.failure is None
    now = 1100.0
    assert len(sampler.samples()) == 661
    assert sampler.failure is not None and "that is replayed ended after 72." in sampler.failure
    assert sampler.total.rails == ("VDD_IN",)
    assert sampler.interval_s == pytest.approx(0.1095, abs=0.0005)


def test_replay_that_is_stopped() -> None:
    now = 0.0
    sampler = ReplaySampler(LOG, clock=lambda: now)
    sampler.start()
    now = 1.0
    sampler.stop()
    now = 50.0
    assert len(sampler.samples()) == 10
    assert sampler.failure is None


def test_replay_by_name() -> None:
    with open_sampler(f"replay:{LOG}") as sampler:
        assert sampler.source == "replay"
        assert sampler.samples()[0].rails_mw["VDD_IN"] == 5971


@pytest.mark.parametrize(
    "text", ["nothing of tegrastats\n", "RAM 1/2MB (lfb 1x4MB) CPU [1%@102]\n"]
)
def test_replay_of_a_log_without_power(tmp_path: Path, text: str) -> None:
    path = tmp_path / "power.log"
    path.write_text(text)
    with pytest.raises(PowerError), open_sampler(f"replay:{path}"):
        pass


def test_auto_gives_all_reasons_where_nothing_works(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    if has_nvidia():
        pytest.skip("there is an NVIDIA driver")
    with open_sampler("auto", root=tmp_path) as sampler:
        assert sampler.source == "none"
        assert sampler.samples() == ()
        assert sampler.total.rails == ()
    assert sampler.failure is not None
    for name in ("tegrastats: ", "hwmon: ", "nvml: ", "rapl: "):
        assert name in sampler.failure


def test_auto_falls_back_from_tegrastats_to_hwmon(orin_nano_sysfs: Path, monkeypatch: Any) -> None:
    """A Jetson with JetPack 5: without root tegrastats prints no rails, and sysfs gives them."""
    stand_in = Path(__file__).parent / "stand_in"
    monkeypatch.setenv("PATH", f"{stand_in}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN_LOG", str(LOG))
    with open_sampler("auto", root=orin_nano_sysfs) as sampler:
        assert sampler.source == "tegrastats"
    monkeypatch.setenv("STAND_IN_FAULT", "no-rails")
    with open_sampler("auto", root=orin_nano_sysfs) as sampler:
        assert sampler.source == "hwmon"


def test_auto_on_a_pc_takes_what_the_work_runs_on(two_sockets: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with open_sampler("auto", interval_s=0.02, runs_on="cpu", root=two_sockets) as sampler:
        assert sampler.source == "rapl"


def test_none() -> None:
    with open_sampler("none") as sampler:
        assert sampler.failure == "power was not asked for"


@pytest.mark.parametrize("choice", ["", "watts", "replay", "replay:", "nvml:x", "none:1"])
def test_choices_that_do_not_exist(choice: str) -> None:
    with pytest.raises(ConfigError, match="no power source is called"), open_sampler(choice):
        pass


@pytest.mark.parametrize("interval_s", [0.0, -1.0])
def test_interval_that_cannot_be(interval_s: float) -> None:
    with pytest.raises(ConfigError, match="interval"), open_sampler("auto", interval_s):
        pass


def test_slow_sensor_does_not_pile_up() -> None:
    """A reading that takes longer than the interval is followed by the next, not by a burst."""

    def read() -> Sample:
        time.sleep(0.05)
        return Sample(time.monotonic(), {"a": 1.0})

    sampler = PollingSampler("slow", read, 0.01, Total(("a",), 0.0))
    sampler.start()
    wait_for_samples(sampler, 4)
    sampler.stop()
    times = [sample.time_s for sample in sampler.samples()]
    assert min(after - before for before, after in pairwise(times)) > 0.045
