import pytest

from edgesr.engine import device as device_module
from edgesr.engine.device import read_device, resolve_board
from edgesr.engine.gpu import Gpu


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
