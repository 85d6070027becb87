"""Samples survive the way to a file and back without loss."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgesr.errors import PowerError
from edgesr.power.power_log import read_power_samples
from edgesr.power.sample import LARGEST, Sample
from edgesr.power.samples_csv import read_samples, write_samples
from edgesr.power.tegrastats_log import read_tegrastats_log

LOGS = Path(__file__).parent / "data" / "logs"
values = st.floats(-LARGEST, LARGEST)
names = st.text(min_size=1, max_size=8).filter(lambda name: "\r" not in name and "\0" not in name)
groups = st.dictionaries(names, values, max_size=3)
any_sample = st.builds(Sample, values, groups, groups, groups, groups)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(any_sample, max_size=5))
def test_round_trip(tmp_path: Path, samples: list[Sample]) -> None:
    path = tmp_path / "samples.csv"
    write_samples(path, samples)
    assert read_samples(path) == tuple(samples)
    before = path.read_bytes()
    write_samples(path, read_samples(path))
    assert path.read_bytes() == before


def test_log_of_a_board(tmp_path: Path) -> None:
    log = read_tegrastats_log(LOGS / "xavier_nx_jp5_burn.txt")
    path = tmp_path / "samples.csv"
    write_samples(path, log.samples)
    again = read_power_samples(path)
    assert again.samples == log.samples
    assert again.start is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "time_s,watts\n1,2\n",
        "time_s,rails_mw.A\n1,2,3\n",
        "time_s,rails_mw.A\nx,2\n",
        "a,b\n1\n",
        "time_s,rails_mw.A\n\n",
    ],
)
def test_tables_of_something_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "samples.csv"
    path.write_text(text)
    with pytest.raises(PowerError):
        read_samples(path)


def test_table_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("time_s,rails_mw.A\n")
    with pytest.raises(PowerError, match="no samples"):
        read_power_samples(path)
    with pytest.raises(PowerError, match="No such file"):
        read_power_samples(tmp_path / "absent.csv")
