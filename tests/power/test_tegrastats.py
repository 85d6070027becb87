"""The parser against a table written by hand from real lines, and against anything else."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgesr.power.tegrastats import LONGEST_LINE, parse_line
from edgesr.power.tegrastats_line import CpuCore, HardwareEngine, PowerReading, Temperature

DATA = Path(__file__).parent / "data"
LINES = [row.split("\t")[3] for row in (DATA / "lines.tsv").read_text().splitlines()]
LOGS = sorted((DATA / "logs").glob("*.txt"))


def read_table() -> dict[int, dict[str, str]]:
    """Return the rows of expected.txt by line number."""
    table = {}
    for block in (DATA / "expected.txt").read_text().split("\n\n")[1:]:
        first, *rows = block.strip().splitlines()
        fields = (row.partition(" ") for row in rows)
        table[int(first.removeprefix("line "))] = {name: text for name, _, text in fields}
    return table


TABLE = read_table()


def numbers(text: str, kind: type = int) -> list[Any]:
    return [kind(part) for part in text.split("/")]


def named(text: str) -> dict[str, str]:
    """`A 1, B C 2` -> {A: 1, B C: 2}."""
    pairs = (part.rpartition(" ") for part in text.split(", ") if part)
    return {name: value for name, _, value in pairs}


def engine(text: str) -> HardwareEngine:
    if text == "off":
        return HardwareEngine(is_off=True)
    load, clocks = text.split("@")
    return HardwareEngine(
        None if load == "-" else int(load),
        () if clocks == "-" else tuple(int(clock) for clock in clocks.split("+")),
    )


def core(text: str) -> CpuCore:
    return CpuCore(False) if text == "off" else CpuCore(True, *map(int, text.split("@")))


def test_table_covers_every_line() -> None:
    assert sorted(TABLE) == list(range(2, len(LINES) + 1))


@pytest.mark.parametrize("number", sorted(TABLE))
def test_line_says_what_the_table_says(number: int) -> None:
    row = TABLE[number]
    line = parse_line(LINES[number - 1])
    if "foreign" in row:
        assert line is None
        return
    assert line is not None
    stamp = row.get("time")
    assert line.time == (None if stamp is None else datetime.fromisoformat(stamp))
    assert list(line.cpus) == [core(text) for text in row["cpu"].split()]
    assert line.engines == {
        name: engine(text) for name, text in named(row.get("engines", "")).items()
    }
    assert line.temperatures == {
        name: Temperature(*numbers(text, float))
        for name, text in named(row.get("temperatures", "")).items()
    }
    assert list(line.sensors_off) == [name for name in row.get("off", "").split(", ") if name]
    assert line.rails == {
        name: PowerReading(*numbers(text)) for name, text in named(row.get("rails", "")).items()
    }
    assert list(line.rails) == list(named(row.get("rails", "")))
    assert line.is_cut == ("cut" in row)
    if "cut" not in row:
        assert dict(line.unknown) == named(row.get("unknown", ""))


@pytest.mark.parametrize("number", sorted(TABLE))
def test_memory_of_the_table(number: int) -> None:
    row = TABLE[number]
    line = parse_line(LINES[number - 1])
    ram = line and line.ram
    if "ram" not in row:
        assert ram is None
        return
    assert line is not None and ram is not None
    sizes, blocks = row["ram"].split()
    assert [ram.used_mb, ram.total_mb] == numbers(sizes)
    assert [ram.free_blocks, ram.free_block_mb] == [int(text) for text in blocks.split("x")]
    if "swap" in row:
        sizes, cached = row["swap"].split()
        assert line.swap is not None
        assert [line.swap.used_mb, line.swap.total_mb] == numbers(sizes)
        assert line.swap.cached_mb == int(cached)
    else:
        assert line.swap is None
    if "iram" in row:
        assert line.iram is not None
        assert line.iram.total_mb * 1024 == 252
        assert line.iram.free_block_mb == 252 / 1024
    else:
        assert line.iram is None


# Shapes that lines.tsv lacks, from NVIDIA's documents and from public logs and their readers.
def test_cores_with_spaces_and_holes_in_the_list() -> None:
    line = parse_line("RAM 1/2MB (lfb 1x512kB) CPU [7%, 5%, , off ]@2601 EMC_FREQ 5%")
    assert line is not None and line.ram is not None
    assert line.cpus == (CpuCore(True, 7, 2601), CpuCore(True, 5, 2601), *[CpuCore(False)] * 2)
    assert line.ram.free_block_mb == 0.5
    assert line.engines == {"EMC": HardwareEngine(5)}


def test_clock_of_minus_one_is_no_clock() -> None:
    line = parse_line("RAM 1/2MB (lfb 1x4MB) cpu [25%,off]@-1 GR3D 0%@72 EDP limit 1734")
    assert line is not None
    assert line.cpus == (CpuCore(True, 25, None), CpuCore(False))
    assert line.unknown == (("EDP limit", "1734"),)


def test_units_of_an_engine_with_one_clock() -> None:
    line = parse_line("EMC_FREQ 1%@2133 PVA0_FREQ [3%,7%@1215] NVDLA0_FREQ @1600 VIC_FREQ 0%@115")
    assert line is not None
    assert line.engines["PVA0"] == HardwareEngine(7, (1215,))
    assert line.engines["NVDLA0"] == HardwareEngine(None, (1600,))
    assert line.engines["VIC"] == HardwareEngine(0, (115,))


def test_load_and_clock_printed_apart() -> None:
    line = parse_line("EMC_FREQ 1%@2133 NVENC 115 NVENC_LOAD 30%")
    assert line is not None
    assert line.engines["NVENC"] == HardwareEngine(30, (115,))


def test_iram_with_a_space_before_its_note() -> None:
    line = parse_line("RAM 1/2MB (lfb 1x4MB) IRAM 0/252kB (lfb 252kB) CPU [1%@102]")
    assert line is not None and line.iram is not None
    assert line.iram.free_block_mb == 252 / 1024


def test_single_power_value_and_negative_power() -> None:
    line = parse_line("VDD_GPU_SOC 1234mW VDD_GPU -392mW/-392mW")
    assert line is not None
    assert line.rails == {"VDD_GPU_SOC": PowerReading(1234), "VDD_GPU": PowerReading(-392, -392)}


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


@settings(deadline=None)  # the machine may be busy
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


@settings(deadline=None)  # the machine may be busy
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


def test_sample_of_a_line() -> None:
    line = parse_line(LINES[36])  # AGX Orin, JetPack 7.2
    assert line is not None
    sample = line.to_sample(0.0)
    assert sample.rails_mw["VIN_SYS_5V0"] == 5500
    assert sample.loads_percent["gpu"] == 12
    assert sample.clocks_mhz["gpu"] == 1300
    assert sample.clocks_mhz["emc"] == 3199
    assert sample.clocks_mhz["cpu11"] == 2201
    assert sample.temperatures_c["gpu"] == 47.625


def test_what_is_in_parentheses_belongs_to_the_memory_before_it() -> None:
    line = parse_line("RAM 2945/7620MB (lfb 10x4MB) SWAP 3/3810MB (cached 7MB) GR3D_FREQ 0%")
    assert line is not None and line.ram is not None and line.swap is not None
    assert (line.ram.free_blocks, line.ram.free_block_mb, line.ram.cached_mb) == (10, 4, None)
    assert (line.swap.cached_mb, line.swap.free_block_mb) == (7, None)
