"""The INA3221 through sysfs, on the layouts of three generations of boards."""

import time
from pathlib import Path

import pytest
from sensor_trees import ORIN_NANO, wait_for_samples, write

from edgesr.engine.board import get_board
from edgesr.errors import MissingError, PowerError
from edgesr.power.board_rails import hwmon_globs
from edgesr.power.sampler import open_sampler
from edgesr.power.sampler_hwmon import find_channels


def test_hwmon_of_an_orin_nano(orin_nano_sysfs: Path) -> None:
    with open_sampler("hwmon", interval_s=0.02, root=orin_nano_sysfs) as sampler:
        wait_for_samples(sampler, 3)
        (orin_nano_sysfs / ORIN_NANO / "curr1_input").write_text("4000\n")
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


def test_hwmon_channel_that_is_switched_off(orin_nano_sysfs: Path) -> None:
    (orin_nano_sysfs / ORIN_NANO / "curr3_input").write_text("")
    with open_sampler("hwmon", interval_s=0.02, root=orin_nano_sysfs) as sampler:
        assert set(sampler.samples()[0].rails_mw) == {"VDD_IN", "VDD_CPU_GPU_CV"}


def test_hwmon_sensor_that_vanishes_in_mid_run(orin_nano_sysfs: Path) -> None:
    with open_sampler("hwmon", interval_s=0.02, root=orin_nano_sysfs) as sampler:
        (orin_nano_sysfs / ORIN_NANO / "in1_input").unlink()
        deadline = time.monotonic() + 20
        while sampler.failure is None and time.monotonic() < deadline:
            time.sleep(0.01)
    assert sampler.failure == "hwmon can no longer be read (No such file or directory)"


def test_hwmon_without_sensors_and_with_dead_ones(tmp_path: Path, orin_nano_sysfs: Path) -> None:
    with (
        pytest.raises(MissingError, match="no INA3221"),
        open_sampler("hwmon", root=tmp_path / "x"),
    ):
        pass
    for number in (1, 2, 3):
        (orin_nano_sysfs / ORIN_NANO / f"in{number}_input").write_text("broken\n")
    with pytest.raises(PowerError, match="in1_input holds 'broken'"):  # noqa: SIM117
        with open_sampler("hwmon", root=orin_nano_sysfs):
            pass
