"""The other samplers, over trees of files as the kernel lays them out, and the choice of one."""

import os
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgesr.engine.board import get_board
from edgesr.errors import ConfigError, MissingError, PowerError
from edgesr.power.board_rails import hwmon_globs
from edgesr.power.sampler import open_sampler
from edgesr.power.sampler_hwmon import find_channels
from edgesr.power.sampler_nvml import nvml_sampler
from edgesr.power.sampler_polling import PollingSampler
from edgesr.power.sampler_rapl import find_zones, power_mw, rapl_sampler
from edgesr.power.sampler_replay import ReplaySampler
from edgesr.power.tegrastats_log import read_tegrastats_log

LOGS = Path(__file__).parent / "data" / "logs"
LOG = LOGS / "orin_nano_maxn_super_100ms_tensorrt.txt"


def write(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


def wait_for_samples(sampler: Any, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(sampler.samples()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


ORIN_NANO = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"


@pytest.fixture
def orin_nano(tmp_path: Path) -> Path:
    """The files of a Jetson Orin Nano, JetPack 6; curr4 to in7 are what the driver adds."""
    rails = {
        "1": ("VDD_IN", 5008, 1192),
        "2": ("VDD_CPU_GPU_CV", 5000, 96),
        "3": ("VDD_SOC", 5000, 274),
    }
    files: dict[str, object] = {f"{ORIN_NANO}/name": "ina3221"}
    for number, (label, millivolts, milliamps) in rails.items():
        files[f"{ORIN_NANO}/in{number}_label"] = label
        files[f"{ORIN_NANO}/in{number}_input"] = millivolts
        files[f"{ORIN_NANO}/curr{number}_input"] = milliamps
        files[f"{ORIN_NANO}/curr{number}_crit"] = 32760
    files[f"{ORIN_NANO}/in7_label"] = "sum of shunt voltages"
    files[f"{ORIN_NANO}/in7_input"] = 12
    files["proc/device-tree/compatible"] = "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234"
    write(tmp_path, files)
    (tmp_path / "sys/class/hwmon").mkdir(parents=True)
    (tmp_path / "sys/class/hwmon/hwmon1").symlink_to(tmp_path / ORIN_NANO)  # a second way to it
    return tmp_path


def test_hwmon_of_an_orin_nano(orin_nano: Path) -> None:
    with open_sampler("hwmon", interval_s=0.02, root=orin_nano) as sampler:
        wait_for_samples(sampler, 3)
        (orin_nano / ORIN_NANO / "curr1_input").write_text("4000\n")
        wait_for_samples(sampler, len(sampler.samples()) + 2)
    samples = sampler.samples()
    assert samples[0].rails_mw == pytest.approx(
        {"VDD_IN": 5969.536, "VDD_CPU_GPU_CV": 480.0, "VDD_SOC": 1370.0}
    )
    assert samples[-1].rails_mw["VDD_IN"] == pytest.approx(20032)
    assert sampler.total.rails == ("VDD_IN",)
    assert sampler.failure is None
    count = len(samples)
    time.sleep(0.1)
    assert len(sampler.samples()) == count


def test_hwmon_of_a_thor_with_its_ina238(tmp_path: Path) -> None:
    first, second = (f"sys/class/hwmon/hwmon{n}" for n in (3, 4))
    write(
        tmp_path,
        {
            f"{first}/name": "ina3221",
            f"{first}/in1_label": "VDD_GPU",
            f"{first}/in1_input": 19000,
            f"{first}/curr1_input": 100,
            f"{second}/name": "ina238",
            f"{second}/label": "VIN",
            f"{second}/power1_input": 19780000,
            f"{second}/in1_input": 19000,
            "sys/class/hwmon/hwmon5/name": "nvme",
            "sys/class/hwmon/hwmon5/in1_label": "no rail",
            "sys/class/hwmon/hwmon5/in1_input": 1,
            "sys/class/hwmon/hwmon5/curr1_input": 1,
        },
    )
    channels = list(find_channels(tmp_path, hwmon_globs(get_board("jetson-thor"))))
    assert {channel.rail: channel.read_mw() for channel in channels} == {
        "VDD_GPU": pytest.approx(1900),
        "VIN": pytest.approx(19780),
    }


def test_iio_of_jetpack_4_on_an_agx_xavier(tmp_path: Path) -> None:
    files: dict[str, object] = {}
    for chip, rails in (
        ("1-0040/iio:device0", "GPU CPU SOC"),
        ("1-0041/iio:device1", "CV VDDRQ SYS5V"),
    ):
        folder = f"sys/bus/i2c/drivers/ina3221x/{chip}"
        files[f"{folder}/name"] = "ina3221x"
        for number, rail in enumerate(rails.split()):
            files[f"{folder}/rail_name_{number}"] = rail
            files[f"{folder}/in_power{number}_input"] = 100 * (number + 1)
    with open_sampler("hwmon", interval_s=0.02, root=write(tmp_path, files)) as sampler:
        assert sampler.samples()[0].rails_mw == {
            **{"GPU": 100, "CPU": 200, "SOC": 300},
            **{"CV": 100, "VDDRQ": 200, "SYS5V": 300},
        }
        assert sampler.total.is_sum


def test_rail_names_that_recur(tmp_path: Path) -> None:
    folder = "sys/bus/i2c/drivers/ina3221/1-0041/hwmon/hwmon2"
    files: dict[str, object] = {f"{folder}/name": "ina3221"}
    for number, rail in enumerate(("NC", "VDDQ_VDD2_1V8AO", "NC"), start=1):
        files |= {
            f"{folder}/in{number}_label": rail,
            f"{folder}/in{number}_input": 1000,
            f"{folder}/curr{number}_input": number,
        }
    channels = find_channels(write(tmp_path, files), hwmon_globs())
    assert [channel.rail for channel in channels] == ["NC", "VDDQ_VDD2_1V8AO", "NC#2"]


def test_hwmon_channel_that_is_switched_off(orin_nano: Path) -> None:
    (orin_nano / ORIN_NANO / "curr3_input").write_text("")
    with open_sampler("hwmon", interval_s=0.02, root=orin_nano) as sampler:
        assert set(sampler.samples()[0].rails_mw) == {"VDD_IN", "VDD_CPU_GPU_CV"}


def test_hwmon_sensor_that_vanishes_in_mid_run(orin_nano: Path) -> None:
    with open_sampler("hwmon", interval_s=0.02, root=orin_nano) as sampler:
        (orin_nano / ORIN_NANO / "in1_input").unlink()
        deadline = time.monotonic() + 20
        while sampler.failure is None and time.monotonic() < deadline:
            time.sleep(0.01)
    assert sampler.failure == "hwmon can no longer be read (No such file or directory)"


def test_hwmon_without_sensors_and_with_dead_ones(tmp_path: Path, orin_nano: Path) -> None:
    with (
        pytest.raises(MissingError, match="no INA3221"),
        open_sampler("hwmon", root=tmp_path / "x"),
    ):
        pass
    for number in (1, 2, 3):
        (orin_nano / ORIN_NANO / f"in{number}_input").write_text("broken\n")
    with pytest.raises(PowerError, match="in1_input holds 'broken'"):  # noqa: SIM117
        with open_sampler("hwmon", root=orin_nano):
            pass


POWERCAP = "sys/class/powercap"


@pytest.fixture
def two_sockets(tmp_path: Path) -> Path:
    files: dict[str, object] = {}
    for socket in (0, 1):
        zone = f"{POWERCAP}/intel-rapl:{socket}"
        for folder, name in (
            (zone, f"package-{socket}"),
            (f"{zone}:0", "core"),
            (f"{zone}:1", "dram"),
        ):
            files |= {
                f"{folder}/name": name,
                f"{folder}/energy_uj": 1000,
                f"{folder}/max_energy_range_uj": 262143328850,
            }
    files |= {
        f"{POWERCAP}/intel-rapl:2/name": "psys",
        f"{POWERCAP}/intel-rapl:2/energy_uj": 1,
        f"{POWERCAP}/intel-rapl:2/max_energy_range_uj": 9,
        f"{POWERCAP}/intel-rapl-mmio:0/name": "package-0",
    }
    return write(tmp_path, files)


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


class NvmlError(Exception):
    """As pynvml's."""


def simulated_nvml(has_instant: bool = True, power_fails_after: int = 10**9) -> Any:
    """The part of pynvml that is used, for a card of 70 W: there is none where tests run."""
    state = SimpleNamespace(reads=0, is_open=False)

    def power(_: object) -> int:
        state.reads += 1
        if state.reads > power_fails_after:
            raise NvmlError("GPU is lost")
        return 70000

    def fields(card: object, wanted: list[int]) -> list[Any]:
        value = SimpleNamespace(uiVal=power(card) + 500)
        return [SimpleNamespace(nvmlReturn=0 if has_instant else 3, value=value)]

    def handle(index: int) -> str:
        if index:
            raise NvmlError("Invalid Argument")
        return "card"

    return SimpleNamespace(
        NVMLError=NvmlError,
        NVML_SUCCESS=0,
        NVML_FI_DEV_POWER_INSTANT=186,
        NVML_CLOCK_GRAPHICS=0,
        NVML_CLOCK_MEM=2,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=lambda: setattr(state, "is_open", True),
        nvmlShutdown=lambda: setattr(state, "is_open", False),
        nvmlDeviceGetHandleByIndex=handle,
        nvmlDeviceGetPowerUsage=power,
        nvmlDeviceGetFieldValues=fields,
        nvmlDeviceGetUtilizationRates=lambda _: SimpleNamespace(gpu=98, memory=40),
        nvmlDeviceGetClockInfo=lambda _, kind: {0: 1980, 2: 2619}[kind],
        nvmlDeviceGetTemperature=lambda *_: 55,
        state=state,
    )


@pytest.mark.parametrize(("has_instant", "power"), [(True, 70500), (False, 70000)])
def test_nvml(has_instant: bool, power: float) -> None:
    library = simulated_nvml(has_instant)
    sampler = nvml_sampler(0.01, library=library)
    sampler.start()
    wait_for_samples(sampler, 3)
    sampler.stop()
    sample = sampler.samples()[0]
    assert sample.rails_mw == {"gpu0": power}
    assert sample.loads_percent == {"gpu": 98, "memory": 40}
    assert sample.clocks_mhz == {"gpu": 1980, "memory": 2619}
    assert sampler.total.rails == ("gpu0",)
    assert (sampler.total.sensor_lag_s == 0) == has_instant
    assert not library.state.is_open


def test_nvml_card_that_is_lost_and_card_that_is_not_there() -> None:
    sampler = nvml_sampler(0.01, library=simulated_nvml(power_fails_after=4))
    sampler.start()
    deadline = time.monotonic() + 20
    while sampler.failure is None and time.monotonic() < deadline:
        time.sleep(0.01)
    sampler.stop()
    assert sampler.failure == "the card can no longer be read (GPU is lost)"
    with pytest.raises(MissingError, match="no NVIDIA card number 3"):
        nvml_sampler(0.01, index=3, library=simulated_nvml())
    with pytest.raises(PowerError, match="does not tell its power"):
        nvml_sampler(0.01, library=simulated_nvml(has_instant=False, power_fails_after=0))


def has_nvidia() -> bool:
    return Path("/proc/driver/nvidia/version").exists()


@pytest.mark.skipif(has_nvidia(), reason="there is an NVIDIA driver")
def test_nvml_without_a_driver() -> None:
    pytest.importorskip("pynvml")
    with pytest.raises(MissingError, match="no NVIDIA driver answers"), open_sampler("nvml"):
        pass


@pytest.mark.skipif(not has_nvidia(), reason="no NVIDIA driver")
def test_nvml_of_a_real_card() -> None:
    pytest.importorskip("pynvml")
    with open_sampler("nvml", interval_s=0.05) as sampler:
        wait_for_samples(sampler, 5)
    assert all(1e3 < sample.rails_mw["gpu0"] < 2e6 for sample in sampler.samples())


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


def test_auto_falls_back_from_tegrastats_to_hwmon(orin_nano: Path, monkeypatch: Any) -> None:
    """A Jetson with JetPack 5: without root tegrastats prints no rails, and sysfs gives them."""
    stand_in = Path(__file__).parent / "stand_in"
    monkeypatch.setenv("PATH", f"{stand_in}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN_LOG", str(LOG))
    with open_sampler("auto", root=orin_nano) as sampler:
        assert sampler.source == "tegrastats"
    monkeypatch.setenv("STAND_IN_FAULT", "no-rails")
    with open_sampler("auto", root=orin_nano) as sampler:
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
    from edgesr.power.board_rails import Total
    from edgesr.power.sample import Sample

    def read() -> Sample:
        time.sleep(0.05)
        return Sample(time.monotonic(), {"a": 1.0})

    sampler = PollingSampler("slow", read, 0.01, Total(("a",), 0.0))
    sampler.start()
    wait_for_samples(sampler, 4)
    sampler.stop()
    times = [sample.time_s for sample in sampler.samples()]
    assert min(after - before for before, after in pairwise(times)) > 0.045
