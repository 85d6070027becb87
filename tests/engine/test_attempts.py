import pytest

from edgesr.boards.board import get_board
from edgesr.engine.attempts import (
    OutOfMemoryError,
    build_within_memory,
    is_out_of_memory,
    ladder,
)
from edgesr.errors import EngineError

BOARD = get_board("jetson-orin-nano-4gb")


def test_workspace_shrinks_before_the_level_drops():
    assert list(ladder(BOARD)) == [(512, 3), (256, 3), (128, 3), (64, 3), (64, 2), (64, 1)]


def test_the_first_that_fits_is_taken_and_every_failure_reported():
    said = []

    def build(workspace_mib, level):
        if workspace_mib > 128:
            raise OutOfMemoryError("NvMapMemAllocInternalTagged: error 12")
        return f"engine at {workspace_mib}/{level}"

    result, attempts = build_within_memory(BOARD, build, said.append)
    assert result == "engine at 128/3"
    assert [(a.workspace_mib, a.optimization_level) for a in attempts] == [
        (512, 3),
        (256, 3),
        (128, 3),
    ]
    assert [a.result.split(":")[0] for a in attempts] == ["out of memory"] * 2 + ["built"]
    assert len(said) == 2
    assert "512 MiB" in said[0]


def test_the_end_of_the_ladder_says_what_to_free():
    def build(workspace_mib, level):
        raise OutOfMemoryError("no")

    with pytest.raises(EngineError, match=r"out of memory 6 times.*64 MiB.*level 1") as error:
        build_within_memory(BOARD, build, lambda line: None)
    assert "systemctl" in error.value.fix


def test_another_failure_is_not_retried():
    calls = []

    def build(workspace_mib, level):
        calls.append(workspace_mib)
        raise EngineError("no such layer")

    with pytest.raises(EngineError, match="no such layer"):
        build_within_memory(BOARD, build, lambda line: None)
    assert calls == [512]


@pytest.mark.parametrize(
    "line",
    [
        "[virtualMemoryBuffer.cpp::resizePhysical::154] Error Code 2: OutOfMemory (Requested size)",
        "Tactic Device request: 4248MB Available: 2507MB. Device memory is insufficient to use",
        "Error Code 10: Internal Error (Could not find any implementation for node {ForeignNode})",
        "NvMapMemAllocInternalTagged: 1075072515 error 12",
    ],
)
def test_recognises_what_a_small_board_logs(line):
    assert is_out_of_memory(line)


def test_a_type_error_is_no_lack_of_memory():
    assert not is_out_of_memory("Error Code 4: API Usage Error (types do not match)")
