"""The commands of docs/bench.md that need a board."""

import re
import shlex
from pathlib import Path

import pytest
from sweep_board import AS_IT_WAS, QUICK, Board

DOCS = Path(__file__).parents[2] / "docs/bench.md"


@pytest.mark.long  # test_sweep.py runs such a sweep every time
def test_the_commands_of_the_docs_run(board: Board) -> None:
    blocks = re.findall(r"```console\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (block,) = [block for block in blocks if "--sweep" in block]
    for line in block.splitlines():
        program, *words = shlex.split(line)
        assert program == "edgesr"
        more = (*QUICK, "--power-mode", "25w") if "--sweep" in words else ()  # all: test_sweep.py
        code, output, errors = board.run(*words, *more)
        assert code == 0, output + errors
        assert "best within 50 mJ an image: " in output
    assert board.stands == AS_IT_WAS
