"""Which rail is the total, for every set of rails that real lines show."""

import pytest

from edgesr.boards.board import get_board
from edgesr.power.board_rails import find_total, hwmon_globs


@pytest.mark.parametrize(
    ("seen", "total"),
    [
        ("VDD_IN VDD_CPU_GPU_CV VDD_SOC", "VDD_IN"),
        ("VDD_SYS_GPU VDD_SYS_SOC VDD_4V0_WIFI VDD_IN VDD_SYS_CPU VDD_SYS_DDR", "VDD_IN"),
        ("POM_5V_IN POM_5V_GPU POM_5V_CPU", "POM_5V_IN"),
        ("VDD_GPU VDD_CPU_SOC_MSS VIN_SYS_5V0 VIN", "VIN"),
        ("VDD_GPU VDD_CPU_SOC_MSS VIN_SYS_5V0", "sum of VDD_GPU + VDD_CPU_SOC_MSS + VIN_SYS_5V0"),
        (
            "VDD_GPU_SOC VDD_CPU_CV VIN_SYS_5V0 NC VDDQ_VDD2_1V8AO NC#2",
            "sum of VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0",
        ),
        ("GPU CPU SOC CV VDDRQ SYS5V", "sum of GPU + CPU + SOC + CV + VDDRQ + SYS5V"),
        ("NC SOME_RAIL NC#2", "SOME_RAIL"),
        ("", ""),
    ],
)
def test_total_of_rails_seen(seen: str, total: str) -> None:
    found = find_total(seen.split())
    assert found.name == total
    assert found.is_sum == (total.startswith("sum"))
    assert found.sensor_lag_s > 0


def test_total_of_a_known_board() -> None:
    board = get_board("jetson-orin-nano-8gb")
    assert find_total(["VDD_SOC", "VDD_IN"], board).rails == ("VDD_IN",)


def test_board_whose_total_is_not_printed() -> None:
    """L4T 38.4 on a Thor prints no VIN; NVIDIA's own sample of the same release does."""
    thor = find_total(["VDD_GPU", "VDD_CPU_SOC_MSS"], get_board("jetson-thor"))
    assert thor.name == "sum of VDD_GPU + VDD_CPU_SOC_MSS"


def test_where_sensors_are_looked_for() -> None:
    everywhere = hwmon_globs()
    assert set(hwmon_globs(get_board("jetson-thor"))) <= set(everywhere)
    assert len(set(everywhere)) == len(everywhere)
    assert any("ina3221x" in glob for glob in everywhere)
    assert not any(glob.startswith("/") for glob in everywhere)
