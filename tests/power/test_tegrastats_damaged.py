"""Lines of tegrastats that are cut, foreign, too long or out of order."""

import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tegrastats_lines import DATA, LINES, TABLE

from edgesr.power.tegrastats import LONGEST_LINE, parse_line
from edgesr.power.tegrastats_line import CpuCore, HardwareEngine, PowerReading

LOGS = sorted((DATA / "logs").glob("*.txt"))


def test_text_before_the_line() -> None:
    journal = "Oct 16 10:59:22 orin tegrastats[812]: 10-16-2023 10:59:22 RAM 1/2MB VDD_IN 5mW/5mW"
    line = parse_line(journal)
    assert line is not None and line.time == datetime(2023, 10, 16, 10, 59, 22)
    assert line.rails == {"VDD_IN": PowerReading(5, 5)}
    wrapped = parse_line("[2018-08-23 16:30:36] : RAM 4923/7850MB (lfb 360x4MB) CPU [33%@2034]")
    assert wrapped is not None and wrapped.cpus == (CpuCore(True, 33, 2034),)


def test_moment_that_does_not_exist_is_no_time() -> None:
    line = parse_line("13-45-2026 25:61:61 RAM 1/2MB")
    assert line is not None and line.time is None


def test_unknown_fields_are_kept_by_name() -> None:
    line = parse_line("RAM 1/2MB NEW_THING 3.5X FAN 42 VDD_IN 7mW/7mW XYZ_FREQ 5%@100 odd 9%")
    assert line is not None
    assert line.rails == {"VDD_IN": PowerReading(7, 7)}
    assert line.engines == {"XYZ": HardwareEngine(5, (100,))}
    assert line.unknown == (("NEW_THING", ""), ("3.5X", ""), ("FAN", "42"), ("odd", "9%"))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " \n",
            "step 3/100 loss 45%",
            "EPOCH 3/100",
            "GPU 50%",
            "accuracy [1,2]",
            "12/25/2026",
        ),
        *(
            "RAM: 5 GB",
            "04-19-2026 01:31:10",
            "Unknown command: --help",
            "VDD_IN",
            "x@y",
            "9" * 9999,
        ),
    ],
)
def test_foreign_lines(text: str) -> None:
    assert parse_line(text) is None


def test_line_that_is_too_long_is_foreign() -> None:
    assert parse_line("RAM 1/2MB " + "[" * LONGEST_LINE) is None


@pytest.mark.parametrize("number", [n for n in TABLE if "rails" in TABLE[n]])
def test_cut_anywhere_no_power_is_wrong(number: int) -> None:
    """A line cut at any place holds the whole line's power now, or none; never a part of it."""
    text = LINES[number - 1]
    whole = parse_line(text)
    assert whole is not None
    for end in range(len(text)):
        for complete in (True, False):
            line = parse_line(text[:end], complete=complete)
            for name, reading in (line.rails if line else {}).items():
                assert reading.current_mw == whole.rails[name].current_mw, text[:end]
                if not complete and reading.average_mw is not None:
                    assert reading.average_mw == whole.rails[name].average_mw, text[:end]
            for name, unit in (line.engines if line and not complete else {}).items():
                assert unit.clocks_mhz in ((), whole.engines[name].clocks_mhz), text[:end]


TOKENS = sorted({token for text in LINES for token in text.split()})
anything = st.text(max_size=300)
shuffled = st.lists(st.sampled_from(TOKENS), max_size=60).map(" ".join)
numbers_everywhere = st.from_regex(
    r"([A-Z_]{1,8} -?[0-9]{0,12}(%|mW|MB|C|)[@/\[\](),]{0,3}[0-9]{0,12}(mW|MB|C|off)? ){1,12}",
    fullmatch=True,
)
damaged = st.builds(
    lambda text, start, end, put: text[: start % len(text)] + put + text[end % len(text) :],
    st.sampled_from([text for text in LINES if text]),
    st.integers(0, 600),
    st.integers(0, 600),
    st.text(max_size=4),
)


@given(st.one_of(anything, shuffled, numbers_everywhere, damaged), st.booleans())
@example("[" * 5000, True)
@example("RAM 1/2MB " + "(" * 5000, True)
@example("RAM 1/2MB " + "1," * 5000, True)
@example("VDD_IN \u0663mW/\u0663mW RAM \u0661/\u0662MB CPU [\u0663%@\u0664]", False)
@example("\x00\x1c\x85 \u2028 RAM 1/2MB\x1dVDD_IN 5mW", False)
def test_nothing_raises(text: str, complete: bool) -> None:
    line = parse_line(text, complete)
    if line is not None:
        sample = line.to_sample(1.5)
        assert sample.time_s == 1.5
        assert sample.rails_mw.keys() == line.rails.keys()


@given(st.lists(st.sampled_from(LINES[1:58]), min_size=1, max_size=1), st.randoms())
def test_order_of_fields_does_not_matter(lines: list[str], random: Any) -> None:
    """Pairs in another order give the same record, but for fields that refer to each other."""
    head, _, tail = lines[0].partition(" VDD_IN ")
    if not tail:
        return
    words = ("VDD_IN " + tail).split()
    pairs = [" ".join(words[index : index + 2]) for index in range(0, len(words), 2)]
    random.shuffle(pairs)
    first, second = parse_line(lines[0]), parse_line(" ".join([head, *pairs]))
    assert first is not None and second is not None
    assert first.rails == second.rails and first.engines == second.engines


def test_ten_thousand_lines_a_second() -> None:
    """The goal is 10,000 on one core; half of it here, as other work may share the core."""
    lines = [text for log in LOGS for text in log.read_text().splitlines()]
    lines += [text for text in LINES[1:] for _ in range(10)]
    best = 0.0
    for _ in range(5):
        begin = time.process_time()
        for text in lines:
            parse_line(text)
        best = max(best, len(lines) / (time.process_time() - begin))
    assert best > 5000
