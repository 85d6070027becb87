"""Logs whose lines are not as they were printed: broken at blanks, run together, packed, mixed."""

import bz2
import gzip
import lzma
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from edgesr.errors import PowerError
from edgesr.power.log_report import report
from edgesr.power.tegrastats_log import parse_tegrastats_log, read_tegrastats_log

LOGS = Path(__file__).parent / "data" / "logs"
LOAD = (LOGS / "orin_nano_25w_load.txt").read_text()
LINES = [line for line in LOAD.splitlines() if "RAM " in line]
THOR = (
    "RAM 17953/125771MB CPU [7%@1728] GR3D_FREQ 39%@[305,0] VDD_GPU_SOC 2798mW/2798mW "
    "VDD_CPU_CV 799mW/799mW VIN_SYS_5V0 3315mW/3315mW"
)
RAILS = [sample.rails_mw for sample in parse_tegrastats_log(LOAD).samples]


def thor(second: int, line: str = THOR) -> str:
    return f"07-21-2025 16:{33 + second // 60:02d}:{second % 60:02d} {line}"


def test_the_log_is_worth_a_test() -> None:
    assert len(LINES) == len(RAILS) == 18
    assert all(set(rails) == {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"} for rails in RAILS)


@pytest.mark.parametrize("width", [72, 80, 100, 132])
def test_lines_that_were_broken_at_blanks_are_joined(width: int) -> None:
    text = "\n".join(LINES)
    folded = [
        "\n".join(textwrap.fill(line, width, break_long_words=False) for line in LINES),
        "\n".join(
            textwrap.fill(line, width, subsequent_indent="    ", break_long_words=False)
            for line in LINES
        ),
    ]
    for command in (["fold", "-s", "-w", str(width)], ["fmt", "-s", "-w", str(width)]):
        if shutil.which(command[0]) is not None:
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
            folded.append(done.stdout)
    for rows in folded:
        read = parse_tegrastats_log(rows)
        assert [sample.rails_mw for sample in read.samples] == RAILS
        assert (read.unknown_lines, read.cut_lines) == (0, 0)


@pytest.mark.parametrize("other", ["frame {} 12/30 done", "[INFO] step {} loss 0.123", "ok"])
@pytest.mark.parametrize("count", [2, 3, 20])
def test_another_program_between_all_lines_is_no_rest_of_them(other: str, count: int) -> None:
    lines = [thor(second) for second in range(count)]
    rows = [row for n, line in enumerate(lines) for row in (line, other.format(n))]
    read = parse_tegrastats_log("\n".join(rows))
    assert [sum(sample.rails_mw.values()) for sample in read.samples] == [6912] * count
    assert read.unknown_lines == count


@pytest.mark.parametrize("between", ["\r", " ", "  "])
def test_lines_without_their_ends(between: str) -> None:
    """As a carriage return alone or `echo $log` leaves them."""
    read = parse_tegrastats_log(between.join(LINES))
    assert [sample.rails_mw for sample in read.samples] == RAILS


@pytest.mark.parametrize(
    ("program", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress)]
)
def test_packed_log_is_named_with_the_command_that_reads_it(
    tmp_path: Path, program: str, pack: "type[bytes]"
) -> None:
    path = tmp_path / "power log.1"
    path.write_bytes(pack(LOAD.encode()))
    with pytest.raises(PowerError, match=f"the log is packed by {program}") as caught:
        read_tegrastats_log(path)
    assert caught.value.fix is not None
    if shutil.which(program) is not None:
        unpack = str(caught.value.fix).partition(" && ")[0]
        subprocess.run(unpack, shell=True, cwd=tmp_path, check=True)
        read = read_tegrastats_log(tmp_path / "power log.1.txt")
        assert sorted(tmp_path.iterdir()) == [path, tmp_path / "power log.1.txt"]
        assert [sample.rails_mw for sample in read.samples] == RAILS


@pytest.mark.parametrize("lost", ["begin", "end"])
@pytest.mark.parametrize("without", ["VIN_SYS_5V0", "VDD_GPU_SOC"])
def test_total_that_is_unknown_at_one_end_of_a_log(lost: str, without: str) -> None:
    """From `without` on, half of the lines hold nothing, as if tegrastats was not root then."""
    broken = THOR[: THOR.index(f" {without}")]
    rows = [thor(n, broken if (n < 20) == (lost == "begin") else THOR) for n in range(40)]
    result = report(parse_tegrastats_log("\n".join(rows)), None, None, Path("log"))
    total = result["total"]
    assert total["energy_j"] == pytest.approx(19 * 6.912)
    assert (total["unknown_in_lines"], total["missing_rails"]) == (20, {without: 20})
    whole = [20.0, 39.0] if lost == "begin" else [0.0, 19.0]
    assert [[span["from_s"], span["to_s"]] for span in result["busy"]] == [whole]


@pytest.mark.parametrize("every", [2, 3, 4, 7])
def test_spans_of_which_few_lines_hold_the_total(every: int) -> None:
    """Three busy seconds of fifteen; a total in pairs of lines, or in every so many-th line."""
    rows = []
    for second in range(120):
        line = THOR.replace("39%", "80%" if second % 15 < 3 else "0%")
        is_whole = (second // 2) % 2 if every == 2 else second % every == 0
        rows.append(thor(second, line if is_whole else line[: line.index(" VIN_SYS")]))
    result = report(parse_tegrastats_log("\n".join(rows)), None, None, Path("log"))
    assert result["total"]["mean_mw"] == pytest.approx(6912)
    for span in result["busy"] + result["idle"]:
        assert span["mean_mw"] == pytest.approx(6912)
        held = [n for n in range(120) if span["from_s"] <= n <= span["to_s"]]
        assert sum(" VIN_SYS" in rows[n] for n in held) >= 2


def test_rail_that_feeds_back_has_an_uncertainty_above_zero() -> None:
    rows = [thor(n, THOR.replace("3315mW", "-3315mW")) for n in range(20)]
    result = report(parse_tegrastats_log("\n".join(rows)), None, None, Path("log"))
    back = result["rails"]["VIN_SYS_5V0"]
    assert back["energy_j"] == pytest.approx(-19 * 3.315)
    forth = report(parse_tegrastats_log("\n".join(map(thor, range(20)))), None, None, Path("log"))[
        "rails"
    ]["VIN_SYS_5V0"]
    assert back["uncertainty_j"] == pytest.approx(forth["uncertainty_j"])
