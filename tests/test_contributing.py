"""CONTRIBUTING.md's table of a newcomer's questions names the files that answer them."""

import re

import pytest
from documents import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
QUESTIONS = re.findall(r"^\| (Where [^|]+\?) \| `([^`]+)`", TEXT, re.MULTILINE)

# word of the question -> what the file must name, and what its own name must say
ANSWERS = {
    "overlap": (r"^DEFAULT_OVERLAP = \d+$", "overlap"),
    "rails": (r"^rails = \[", "jetson-orin-nano"),
    "loss": (r"^def l1|charbonnier", "loss"),
    "FP16": (r"^ISLANDS = ", "fp16"),
    "exit code": (r"^FAILED = 1$", "exit_code"),
}


@pytest.mark.parametrize("word", ANSWERS)
def test_each_question_is_answered_where_the_table_says(word: str) -> None:
    (name,) = [file for question, file in QUESTIONS if word in question]
    holds, named = ANSWERS[word]
    assert re.search(holds, (ROOT / name).read_text(), re.MULTILINE)
    assert named in name


def test_the_table_has_five_questions() -> None:
    assert len(QUESTIONS) == len(ANSWERS)
