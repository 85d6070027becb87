import pytest

from edgesr.boards import device as device_module
from edgesr.boards.board import get_board
from edgesr.boards.device import (
    is_above_mode,
    is_below_mode,
    read_device,
    resolve_board,
    taken_for,
)
from edgesr.boards.gpu import Gpu
from edgesr.errors import ConfigError


@pytest.fixture(autouse=True)
def gpu(monkeypatch):
    """Return a function that puts a GPU in this machine; without a call it has none."""

    def insert(found):
        monkeypatch.setattr(device_module, "first_gpu", lambda: found)

    insert(None)
    return insert


def test_reads_a_whole_board(orin_nano):
    device = read_device(orin_nano)
    assert device.board.name == "jetson-orin-nano-8gb"
    assert device.model == "NVIDIA Jetson Orin Nano Engineering Reference Kit Super"
    assert device.l4t == "36.4.3"
    assert device.power_mode == "MAXN_SUPER"
    assert device.power_modes == {"15W": 0, "25W": 1, "MAXN_SUPER": 2, "7W": 3}
    assert device.gpu_mhz == (306, 1020)
    assert device.memory_mib == 7620
    assert device.cuda == "12.6.11"


@pytest.mark.parametrize(
    ("module", "board"),
    [
        ("nvidia,p3768-0000+p3767-0003", "jetson-orin-nano-8gb"),
        ("nvidia,p3768-0000+p3767-0004-super", "jetson-orin-nano-4gb"),
        ("nvidia,p3768-0000+p3767-0000-super", "jetson-orin-nx"),
        ("nvidia,p3737-0000+p3701-0005", "jetson-agx-orin"),
        ("nvidia,p4071-0000+p3834-0008", "jetson-thor"),
        ("nvidia,p3450-0000", None),  # Jetson Nano: a Jetson, but not one that is known here
    ],
)
def test_detects_by_module_not_by_carrier(orin_nano, module, board):
    (orin_nano / "proc/device-tree/compatible").write_text(module + "\0")
    found = read_device(orin_nano).board
    assert (found and found.name) == board


def test_a_mode_without_a_name_in_the_table_is_shown_by_number(orin_nano):
    (orin_nano / "var/lib/nvpmodel/status").write_text("pmode:0009")
    assert read_device(orin_nano).power_mode == "0009"


def test_a_pc_is_no_board(tmp_path):
    device = read_device(tmp_path)
    assert device.board is None
    assert device.l4t is None
    assert device.power_mode is None
    assert device.power_modes == {}
    assert device.gpu_mhz is None
    assert device.memory_mib is None
    assert device.model


def test_a_pc_with_a_gpu_is_the_board_gpu_with_the_facts_of_the_device(tmp_path, gpu):
    gpu(Gpu("NVIDIA H200", "9.0", "13.0", 143771))
    board = read_device(tmp_path).board
    assert (board.name, board.title) == ("gpu", "NVIDIA H200")
    assert board.compute_capabilities == ("9.0",)
    assert board.memory_mib == 143771
    assert not board.is_jetson
    assert resolve_board(None, board) is board
    assert resolve_board("gpu", board) is board


def test_a_jetson_with_its_gpu_stays_that_jetson(orin_nano, gpu):
    gpu(Gpu("Orin", "8.7", "12.6", 7620, is_integrated=True))
    assert read_device(orin_nano).board.name == "jetson-orin-nano-8gb"


ORIN = Gpu("Orin", "8.7", "12.6", 7620, is_integrated=True)


@pytest.mark.parametrize(
    ("found", "board"),
    [
        (ORIN, "jetson-orin-nano-8gb"),
        (Gpu("Orin", "8.7", "12.6", 3300, is_integrated=True), "jetson-orin-nano-4gb"),
        (Gpu("Orin", "8.7", "12.6", 15656, is_integrated=True), "jetson-orin-nx"),
        (Gpu("Orin", "8.7", "12.6", 62841, is_integrated=True), "jetson-agx-orin"),
        (Gpu("NVIDIA Thor", "11.0", "13.0", 125772, is_integrated=True), "jetson-thor"),
        (Gpu("NVIDIA GB10", "12.1", "13.0", 122570, is_integrated=True), "gpu"),
        (Gpu("NVIDIA RTX A4000", "8.6", "13.0", 16376), "gpu"),
    ],
)
def test_a_container_has_no_device_tree_and_its_gpu_tells_the_board(tmp_path, gpu, found, board):
    gpu(found)
    assert read_device(tmp_path).board.name == board


def test_the_environment_names_the_board(tmp_path, orin_nano, gpu, monkeypatch):
    monkeypatch.setenv("EDGESR_BOARD", "jetson-orin-nx")
    assert read_device(tmp_path).board.name == "jetson-orin-nx"
    gpu(ORIN)
    assert read_device(tmp_path).board.name == "jetson-orin-nx"
    monkeypatch.setenv("EDGESR_BOARD", "jetson-orin-nano")  # a family: the member it is
    assert read_device(orin_nano).board.name == "jetson-orin-nano-8gb"
    monkeypatch.setenv("EDGESR_BOARD", "gpu")
    assert read_device(tmp_path).board.title == "Orin"


def test_a_name_that_is_none_or_of_another_gpu_is_refused(tmp_path, gpu, monkeypatch):
    monkeypatch.setenv("EDGESR_BOARD", "jetson-orin")
    with pytest.raises(ConfigError, match="EDGESR_BOARD: no board is called 'jetson-orin'"):
        read_device(tmp_path)
    monkeypatch.setenv("EDGESR_BOARD", "jetson-thor")
    gpu(ORIN)
    with pytest.raises(ConfigError, match=r"GPU is Orin with compute capability 8\.7"):
        read_device(tmp_path)


def test_the_option_names_the_board_where_only_the_release_is_known(tmp_path, orin_nano):
    (orin_nano / "proc/device-tree/compatible").unlink()
    board = get_board("jetson-orin-nano-8gb")
    device = taken_for(read_device(orin_nano), board, orin_nano)
    assert device.board is board
    assert device.gpu_mhz == (306, 1020)
    assert device.mode_gpu_mhz == 1020
    pc = read_device(tmp_path)
    assert taken_for(pc, board, tmp_path) is pc


def test_the_clock_of_a_mode_is_that_of_the_devices_own_table(orin_nano):
    assert read_device(orin_nano).mode_gpu_mhz == 1020  # the table names no clock
    (orin_nano / "etc/nvpmodel.conf").write_text(
        "< POWER_MODEL ID=1 NAME=25W >\nGPU MAX_FREQ 918000000\n"
        "< POWER_MODEL ID=2 NAME=MAXN_SUPER >\nGPU MIN_FREQ 0\nGPU MAX_FREQ 1007250000\n"
    )
    assert read_device(orin_nano).mode_gpu_mhz == 1007


@pytest.mark.parametrize(
    ("limit", "mode", "above", "below"),
    [
        (1020, 918, True, False),
        (918, 1020, False, True),
        (624, 612, False, False),
        (None, 918, False, False),
        (918, None, False, False),
    ],
)
def test_a_clock_against_its_mode(limit, mode, above, below):
    assert (is_above_mode(limit, mode), is_below_mode(limit, mode)) == (above, below)
