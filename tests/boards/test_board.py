import re

import pytest

from edgesr.boards.board import all_boards, family, get_board, parse_board
from edgesr.errors import ConfigError

MINIMAL = """
name = "x"
title = "X"
family = "x"
tensorrt_modules = ["tensorrt"]
compute_capabilities = ["8.7"]
workspace_mib = [2, 1]
optimization_levels = [3]
"""


def test_the_issues_boards_are_there():
    names = [board.name for board in all_boards()]
    assert names == [
        "gpu",
        "jetson-agx-orin",
        "jetson-orin-nano-4gb",
        "jetson-orin-nano-8gb",
        "jetson-orin-nx",
        "jetson-thor",
        "rtx",
    ]


def test_the_bare_family_name_means_the_larger_module():
    assert [b.name for b in family("jetson-orin-nano")] == [
        "jetson-orin-nano-8gb",
        "jetson-orin-nano-4gb",
    ]


@pytest.mark.parametrize("board", all_boards(), ids=lambda board: board.name)
def test_every_board_is_complete(board):
    assert all(re.fullmatch(r"\d+\.\d", value) for value in board.compute_capabilities)
    assert bool(board.compute_capabilities) != board.any_gpu
    ids = [mode.id for mode in board.power_modes]
    assert len(set(ids)) == len(ids)
    assert len({mode.option for mode in board.power_modes}) == len(ids)
    if board.is_jetson:
        assert board.power is not None
        assert board.power.hwmon
        assert board.software
        assert board.memory_mib is not None
        assert board.memory_mib > max(board.workspace_mib)


@pytest.mark.parametrize("board", all_boards(), ids=lambda board: board.name)
def test_what_is_marked_unconfirmed_exists(board):
    for dotted in board.unconfirmed:
        first, *rest = dotted.split(".")
        value = getattr(board, first)
        if first == "power_modes":
            value = {mode.name: mode for mode in value}[rest[0]]
            rest = rest[1:]
        for name in rest:
            value = getattr(value, name)
        assert value is not None, dotted


@pytest.mark.parametrize(
    ("board", "option", "number"),
    [
        ("jetson-orin-nano-8gb", "maxn-super", 2),
        ("jetson-orin-nano-8gb", "15w", 0),  # not the largest mode, as id 0 is elsewhere
        ("jetson-orin-nano-8gb", "MAXN_SUPER", 2),
        ("jetson-orin-nx", "maxn-super", 0),
        ("jetson-agx-orin", "30w", 2),
    ],
)
def test_power_mode_by_option(board, option, number):
    assert get_board(board).power_mode(option).id == number


def test_unknown_names_list_the_choices():
    with pytest.raises(ConfigError, match="jetson-orin-nx"):
        get_board("orin")
    with pytest.raises(ConfigError, match="15w, 25w, maxn-super, 7w"):
        get_board("jetson-orin-nano-8gb").power_mode("40w")
    with pytest.raises(ConfigError, match="no power modes"):
        get_board("rtx").power_mode("15w")


def test_agx_orin_has_no_total_rail_and_does_not_count_dram_twice():
    power = get_board("jetson-agx-orin").power
    assert power.total_rail is None
    assert "VDDQ_VDD2_1V8AO" in power.rails
    assert "VDDQ_VDD2_1V8AO" not in power.sum_rails


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("name =", "not TOML"),
        ("colour = 1", "colour"),
        ('[power]\nrails = ["A"]', "total_rail or sum_rails"),
        ('[power]\nrails = ["A"]\ntotal_rail = "B"', "total_rail or sum_rails"),
        ('[power]\nrails = ["A"]\ntotal_rail = "A"\nsum_rails = ["A"]', "total_rail or sum_rails"),
        ("[[power_modes]]\nid = 1", "name"),
    ],
)
def test_a_wrong_file_is_refused_by_name(change, message):
    with pytest.raises(ConfigError, match=message) as error:
        parse_board(MINIMAL + change, "wrong.toml")
    assert error.value.where.startswith("wrong.toml")


def test_limits_must_come_largest_first():
    with pytest.raises(ConfigError, match="workspace_mib"):
        parse_board(MINIMAL.replace("[2, 1]", "[1, 2]"), "wrong.toml")
