"""A recorded tree of files stands in for a board."""

from pathlib import Path

import pytest

from edgesr.bench.environment import read_machine, read_state


@pytest.fixture
def orin(tmp_path: Path) -> Path:
    """Files of an Orin Nano with JetPack 6, as far as they are read."""
    files = {
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit\0",
        "proc/device-tree/compatible": "nvidia,p3768-0000+p3767-0005-super\0nvidia,tegra234\0",
        "proc/meminfo": "MemTotal:        7802880 kB\n",
        "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic\n",
        "etc/nvpmodel.conf": (
            "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n"
        ),
        "var/lib/nvpmodel/status": "pmode:0002",
        "sys/class/devfreq/17000000.gpu/cur_freq": "306000000",
        "sys/class/devfreq/17000000.gpu/max_freq": "624750000",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "729600",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "1510400",
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "sys/class/thermal/thermal_zone0/temp": "48812\n",
        "sys/class/thermal/thermal_zone2/type": "cv0-thermal\n",
        "sys/class/thermal/thermal_zone2/temp": "-256000\n",
        "sys/class/thermal/thermal_zone10/type": "tj-thermal\n",
        "sys/class/thermal/thermal_zone10/temp": "50000\n",
        "sys/class/hwmon/hwmon3/name": "soctherm_oc\n",
        "sys/class/hwmon/hwmon3/oc1_event_cnt": "0\n",
        "sys/class/hwmon/hwmon3/oc3_event_cnt": "37\n",
        "sys/devices/platform/gpu-throttle-alert/thermal_trip_event": "2\n",
        "sys/class/thermal/cooling_device0/type": "pwm-fan\n",
        "sys/class/thermal/cooling_device0/cur_state": "3\n",
        "sys/class/thermal/cooling_device4/type": "gpu-throttle-alert\n",
        "sys/class/thermal/cooling_device4/cur_state": "1\n",
        "sys/class/thermal/cooling_device5/type": "cpu-throttle-alert\n",
        "sys/class/thermal/cooling_device5/cur_state": "0\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_state_of_an_orin_nano(orin: Path) -> None:
    state = read_state(orin)
    assert (state.power_mode, state.gpu_mhz, state.gpu_limit_mhz) == ("MAXN_SUPER", 306, 624)
    assert state.cpu_mhz == 1510.4
    assert state.temperatures_c == {"cpu-thermal": 48.812, "tj-thermal": 50.0}
    assert state.throttle_events == {"oc1": 0, "oc3": 37, "gpu thermal": 2}
    assert state.throttling == {"gpu-throttle-alert": 1}


def test_the_machine_is_an_orin_nano(orin: Path) -> None:
    machine = read_machine(orin)
    assert machine.board == "Jetson Orin Nano 8 GB"
    assert (machine.l4t, machine.memory_mib) == ("36.4.3", 7620)
    assert machine.mode_gpu_mhz == 1020
    assert machine.packages["edgesr"]


def test_an_x86_cpu_counts_thermal_events_per_core(tmp_path: Path) -> None:
    for core, count in enumerate((3, 4)):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/thermal_throttle"
        folder.mkdir(parents=True)
        (folder / "core_throttle_count").write_text(f"{count}\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        "".join(f"model name\t: AMD EPYC\ncpu MHz\t\t: {mhz}\n\n" for mhz in (2445.4, 3100.0))
    )
    state = read_state(tmp_path)
    assert state.throttle_events == {"cpu thermal": 7}
    assert state.cpu_mhz == 3100.0
    assert read_machine(tmp_path).cpu == "AMD EPYC"


def test_nothing_to_read_is_no_error(tmp_path: Path) -> None:
    state, machine = read_state(tmp_path), read_machine(tmp_path)
    assert (state.power_mode, state.gpu_mhz, state.cpu_mhz) == (None, None, None)
    assert not state.temperatures_c
    assert not state.throttle_events
    assert (machine.board, machine.mode_gpu_mhz) == (None, None)
    assert machine.cpu_cores >= 1
