"""The parser against a table written by hand from real lines, and against anything else."""

from datetime import datetime
from typing import Any

import pytest
from tegrastats_lines import LINES, TABLE

from edgesr.power.tegrastats import parse_line
from edgesr.power.tegrastats_line import CpuCore, HardwareEngine, PowerReading, Temperature


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
