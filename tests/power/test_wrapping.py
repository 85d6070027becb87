"""Lines as they come out of terminals, containers, the journal and tables: nothing of them is lost.

The wrappers are made by the programs' own rules: json.dumps for docker's json-file driver and
journalctl, the escapes of Go's strconv.Quote for logfmt, ECMA-48 for colours.
"""

import csv
import io
import json
import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr.power.tegrastats import parse_line
from edgesr.power.tegrastats_log import parse_tegrastats_log, read_tegrastats_log
from edgesr.power.wrapping import undress

DATA = Path(__file__).parent / "data"
TABLE = [row.split("\t")[3] for row in (DATA / "lines.tsv").read_text().splitlines()[1:]]
LINES = [line for line in TABLE if (read := parse_line(line)) is not None and read.rails]
THOR = (
    "07-21-2025 16:33:42 RAM 17953/62841MB CPU [7%@1728] GR3D_FREQ 39%@[305,0] "
    "VDD_GPU_SOC 2798mW/2798mW VDD_CPU_CV 799mW/799mW VIN_SYS_5V0 3315mW/3315mW"
)


def as_csv(line: str) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(["2025-07-21T16:33:42Z", line, "orin"])
    return text.getvalue()


WRAPPERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "double quotes": lambda line: f'"{line}"',
    "single quotes": lambda line: f"'{line}'",
    "shell": shlex.quote,
    "comma": lambda line: f"{line},",
    "quotes and comma": lambda line: f'  "{line}",',
    "bracket": lambda line: f"{line}]",
    "brackets": lambda line: f"[{line}]",
    "list": lambda line: json.dumps([line]),
    "semicolon": lambda line: f"{line};",
    "element": lambda line: f"<log>{line}</log>",
    "colour": lambda line: f"\x1b[32m{line}\x1b[0m",
    "256 colours": lambda line: f"\x1b[38;5;82m{line}\x1b[m",
    "erase to the end": lambda line: f"{line}\x1b[K",
    "cursor": lambda line: f"\x1b[2K\x1b[1G{line}\x1b[?25h",
    "title": lambda line: f"\x1b]0;tegrastats\x07{line}\x1b[0m",
    "colour, written out": lambda line: f"\\u001b[32m{line}\\u001b[0m",
    "colour in rsyslog": lambda line: f"Jul 21 16:33:42 orin tegrastats: #033[32m{line}#033[0m",
    "tput sgr0": lambda line: f"\x1b[32m{line}\x1b(B\x1b[m",
    "cursor kept": lambda line: f"\x1b7{line}\x1b8",
    "every word coloured": lambda line: " ".join(f"\x1b[1m{w}\x1b[0m" for w in line.split(" ")),
    "grep --color": lambda line: line.replace("mW", "\x1b[01;31m\x1b[KmW\x1b[m\x1b[K"),
    "cat -A": lambda line: f"^[[32m{line}^[[0m^M$",
    "Ctrl-C": lambda line: f"{line}^C",
    "markdown": lambda line: f"|{line}|",
    "no-break space": lambda line: f"{line}\u00a0",
    "typographic quotes": lambda line: f"\u201c{line}\u201d",
    "HTML": lambda line: f"&quot;{line}&quot;<br/>",
    "Python's bytes": lambda line: repr(f"{line}\r\n".encode()),
    "Python's list": lambda line: repr([f"{line}\n"]),
    "YAML": lambda line: f"  - message: '{line}'",
    "RFC 5424": lambda line: f"<14>1 2025-07-21T16:33:42.123Z orin tegrastats 812 - - {line}",
    "said again": lambda line: f"Jul 21 16:33:42 orin last message repeated 2 times: [ {line}]",
    "Fluentd": lambda line: f"2025-07-21 16:33:42 +0000 tag: {json.dumps({'message': line})}",
    "JSON with slashes escaped": lambda line: json.dumps({"log": line}).replace("/", "\\/"),
    "JSON in a string": lambda line: json.dumps(json.dumps({"log": line})),
    "ROS 2": lambda line: f"[INFO] [1753115622.123456789] [tegra]: {line}",
    "docker json-file": lambda line: json.dumps(
        {"log": f"{line}\r\n", "stream": "stdout", "time": "2025-07-21T16:33:42.123456789Z"}
    ),
    "docker, coloured": lambda line: json.dumps(
        {"log": f"\x1b[32m{line}\x1b[0m\n", "stream": "stdout", "time": "2025-07-21T16:33:42Z"}
    ),
    "journalctl -o json": lambda line: json.dumps(
        {"__REALTIME_TIMESTAMP": "1753115622123456", "MESSAGE": line, "_PID": "812"}
    ),
    "journalctl of control characters": lambda line: json.dumps(
        {"MESSAGE": list(f"\x1b[1m{line}\x1b[0m".encode()), "_HOSTNAME": "orin"}
    ),
    "docker of the journal": lambda line: json.dumps(
        {"log": json.dumps({"MESSAGE": line}) + "\n", "stream": "stdout"}
    ),
    "nested": lambda line: json.dumps({"record": {"fields": {"body": line}}, "level": 6}),
    "journalctl": lambda line: f"Jul 21 16:33:42 orin tegrastats[812]: {line}",
    "logfmt": lambda line: f'level=info content="{line}" host=orin',
    "logfmt, quoted twice": lambda line: f'msg="content=\\"{line}\\"" host=orin',
    "logfmt without quotes": lambda line: f"time=2025-07-21T16:33:42Z msg={line}",
    "containerd": lambda line: f"2025-07-21T16:33:42.123456789Z stdout F {line}",
    "docker compose": lambda line: f"tegrastats-1  | {line}",
    "csv": as_csv,
    "json, cut by a broken pipe": lambda line: f'{{"log":"{line}\\n","stream":"std',
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_every_rail_survives_every_wrapper(wrapper: str) -> None:
    for line in LINES:
        plain, wrapped = parse_line(line), parse_line(WRAPPERS[wrapper](line))
        assert plain is not None and wrapped is not None, line
        assert wrapped.rails == plain.rails, line
        assert wrapped.unread_rails == ()
        if plain.time is not None:
            assert wrapped.time == plain.time


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_sum_of_a_board_in_every_wrapper(wrapper: str) -> None:
    line = parse_line(WRAPPERS[wrapper](THOR))
    assert line is not None
    assert sum(reading.current_mw for reading in line.rails.values()) == 6912
    assert line.time == datetime(2025, 7, 21, 16, 33, 42)


@pytest.mark.parametrize(
    "text",
    [
        "2025-07-21T16:34:02Z RAM 1/2MB VDD_IN 5mW/5mW",
        "2025-07-21 16:34:02,512 RAM 1/2MB VDD_IN 5mW/5mW",
        "[2025-07-21T16:34:02.123+09:00] RAM 1/2MB VDD_IN 5mW/5mW",
        '{"log":"RAM 1/2MB VDD_IN 5mW/5mW\\n","time":"2025-07-21T16:34:02.9Z"}',
        '{"__REALTIME_TIMESTAMP":"1753115642000001","MESSAGE":"RAM 1/2MB VDD_IN 5mW/5mW"}',
        '2025-07-21T16:34:02Z content="RAM 1/2MB VDD_IN 5mW/5mW"',
    ],
)
def test_stamps_in_front_of_a_line_and_around_it(text: str) -> None:
    line = parse_line(text)
    assert line is not None and line.time == datetime(2025, 7, 21, 16, 34, 2)
    assert line.rails["VDD_IN"].current_mw == 5


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_wrapped_logs(tmp_path: Path, wrapper: str, encoding: str) -> None:
    rows = (DATA / "logs" / "orin_nano_25w_idle.txt").read_text().splitlines()
    plain = parse_tegrastats_log("\n".join(rows))
    path = tmp_path / "power.log"
    path.write_bytes("\r\n".join(map(WRAPPERS[wrapper], rows)).encode(encoding))
    wrapped = read_tegrastats_log(path)
    assert [s.rails_mw for s in wrapped.samples] == [s.rails_mw for s in plain.samples]
    assert [s.time_s for s in wrapped.samples] == [s.time_s for s in plain.samples]


@pytest.mark.parametrize("glued", [".", "/", "_", "-", "+", "%", "@", "END", "nvidia@orin:~$ "])
def test_a_rail_whose_end_is_unclear_is_read_or_named(glued: str) -> None:
    """Also of AGX Xavier, whose rails have names without VDD or VIN, and no unit."""
    for line in LINES:
        plain, wrapped = parse_line(line), parse_line(line + glued)
        assert plain is not None and wrapped is not None, line
        lost = plain.rails.keys() - wrapped.rails.keys()
        assert {name.partition("#")[0] for name in lost} <= set(wrapped.unread_rails), line
        assert all(reading == plain.rails[name] for name, reading in wrapped.rails.items()), line


def test_power_that_cannot_be_read_is_named() -> None:
    line = parse_line(THOR.replace("3315mW/3315mW", "33l5mW/33l5mW"))
    assert line is not None
    assert line.unread_rails == ("VIN_SYS_5V0",)


@given(
    st.one_of(
        st.text(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.just(THOR)),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        ).map(json.dumps),
    )
)
def test_nothing_raises(text: str) -> None:
    inner, stamp = undress(text)
    assert isinstance(inner, str) and (stamp is None or stamp.tzinfo is None)
