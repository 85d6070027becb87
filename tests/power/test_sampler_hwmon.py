"""The INA3221 through sysfs, on the layouts of three generations of boards."""

import threading
import time
from pathlib import Path

import pytest
from sensor_trees import ORIN_NANO, wait_for_samples, write

from edgesr.boards.board import get_board
from edgesr.errors import MissingError, PowerError
from edgesr.power import sampler_polling
from edgesr.power.board_rails import hwmon_globs
from edgesr.power.sampler import open_sampler
from edgesr.power.sampler_hwmon import find_channels, hwmon_sampler


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


def test_hwmon_sensor_that_vanishes_in_mid_run(
    orin_nano_sysfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler_polling, "GIVE_UP_S", 0.5)
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


def thor_tree(root: Path, vin: dict[str, object]) -> Path:
    files: dict[str, object] = {"sys/class/hwmon/hwmon3/name": "ina3221"}
    for number, rail in enumerate(("VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0"), start=1):
        files |= {
            f"sys/class/hwmon/hwmon3/in{number}_label": rail,
            f"sys/class/hwmon/hwmon3/in{number}_input": 5000,
            f"sys/class/hwmon/hwmon3/curr{number}_input": 100 * number,
        }
    return write(root, files | {f"sys/class/hwmon/hwmon4/{name}": vin[name] for name in vin})


# The files and the numbers that the kernel's ina238 driver gives on a board without labels:
# github:sonic-net/sonic-linux-kernel, pull request 585.
INA238 = {
    **{"name": "ina238", "in0_input": 3, "in1_input": 54434, "curr1_input": 360},
    **{"power1_input": 19555200, "temp1_input": 37750},
}


@pytest.mark.parametrize("board", ["jetson-thor", None])
def test_ina238_without_a_label_is_the_input_of_a_thor(tmp_path: Path, board: str | None) -> None:
    root = thor_tree(tmp_path, INA238)
    sampler = hwmon_sampler(0.02, root, get_board(board) if board else None)
    sampler.start()
    sampler.stop()
    assert sampler.samples()[0].rails_mw["VIN"] == pytest.approx(19555.2)
    assert sampler.total.rails == ("VIN",)


def test_ina238_that_cannot_be_read_leaves_no_smaller_sum(tmp_path: Path) -> None:
    root = thor_tree(tmp_path, INA238 | {"power1_input": ""})
    with pytest.raises(PowerError, match="VIN, and not all of it can be read"):
        hwmon_sampler(0.02, root, get_board("jetson-thor"))


def test_ina238_without_a_label_elsewhere_keeps_the_name_of_its_chip(tmp_path: Path) -> None:
    files = {f"sys/class/hwmon/hwmon4/{name}": value for name, value in INA238.items()}
    (channel,) = find_channels(write(tmp_path, files), hwmon_globs())
    assert channel.rail == "ina238"
    assert channel.read_mw() == pytest.approx(19555.2)


def test_read_that_fails_for_a_moment_is_skipped_and_counted(orin_nano_sysfs: Path) -> None:
    """A file that turns into a folder for a while gives an OSError, as the bus does (-110)."""
    file = orin_nano_sysfs / ORIN_NANO / "in1_input"
    sampler = hwmon_sampler(0.02, orin_nano_sysfs, None)
    sampler.start()
    try:
        wait_for_samples(sampler, 3)
        file.rename(file.with_suffix(".away"))
        deadline = time.monotonic() + 4
        while not sampler.failed_reads and time.monotonic() < deadline:
            time.sleep(0.01)
        file.with_suffix(".away").rename(file)
        wait_for_samples(sampler, len(sampler.samples()) + 3)
        assert sampler.failed_reads >= 1
        assert sampler.failure is None
    finally:
        sampler.stop()


def test_first_read_that_fails_for_a_moment_is_tried_again(orin_nano_sysfs: Path) -> None:
    """A folder of that name gives an OSError; a tenth of a second later it is the file."""
    file = orin_nano_sysfs / ORIN_NANO / "in1_input"

    def take_away() -> threading.Timer:
        file.rename(file.with_suffix(".away"))
        file.mkdir()
        later = threading.Timer(0.1, lambda: file.rmdir() or file.with_suffix(".away").rename(file))
        later.start()
        return later

    later = take_away()
    sampler = hwmon_sampler(0.02, orin_nano_sysfs, None)
    later.join()
    assert sampler.total.rails == ("VDD_IN",)
    later = take_away()
    sampler.start()
    later.join()
    sampler.stop()
    assert sampler.samples()[0].rails_mw.keys() == {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"}
    assert sampler.failed_reads >= 1


@pytest.mark.parametrize("content", [b"", b"\n", b"n/a\n", b"\xff\xfe\x00", b"12 13\n"])
def test_read_without_a_number_is_skipped_and_counted(
    orin_nano_sysfs: Path, content: bytes
) -> None:
    """The first one is tried again, too; no content ends the thread without a word."""
    file = orin_nano_sysfs / ORIN_NANO / "in1_input"
    number = file.read_bytes()
    sampler = hwmon_sampler(0.02, orin_nano_sysfs, None)
    file.write_bytes(content)
    later = threading.Timer(0.1, file.write_bytes, [number])
    later.start()
    sampler.start()
    try:
        later.join()
        at_begin = sampler.failed_reads
        assert at_begin >= 1
        file.write_bytes(content)
        deadline = time.monotonic() + 4
        while sampler.failed_reads == at_begin and time.monotonic() < deadline:
            time.sleep(0.01)
        file.write_bytes(number)
        wait_for_samples(sampler, len(sampler.samples()) + 3)
        assert sampler.failed_reads > at_begin
        assert sampler.failure is None
    finally:
        sampler.stop()
