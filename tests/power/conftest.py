"""Sensors of two machines, as files."""

from pathlib import Path

import pytest
from sensor_trees import ORIN_NANO, POWERCAP, write


@pytest.fixture
def orin_nano_sysfs(tmp_path: Path) -> Path:
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
