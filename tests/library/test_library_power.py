"""Power through the library: a real log replayed, a log read, and a bench's folder."""

import json
import time
from pathlib import Path

import pytest

import edgesr
from edgesr.cli import main

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "power/data/logs"
LOG = LOGS / "orin_nano_25w_load.txt"
RUN = ROOT / "bench/data/run"


def constant(folder: Path, power_mw: int) -> Path:
    """Write a log of constant power as tegrastats prints it, ten lines a second for a minute."""
    log = folder / "constant.log"
    lines = [
        f"01-02-2026 10:00:{second:02d} RAM 1/7620MB CPU [1%@729] VDD_IN {power_mw}mW/{power_mw}mW"
        for second in range(60)
    ]
    log.write_text("\n".join(lines) + "\n")
    return log


def test_a_block_of_constant_power(tmp_path: Path) -> None:
    log = constant(tmp_path, 7000)
    with edgesr.measure_power(f"replay:{log}") as meter:
        assert meter.source == "replay"
        with pytest.raises(edgesr.PowerError, match="has not ended"):
            _ = meter.result
        began = time.monotonic()
        time.sleep(4.0)
        took_s = time.monotonic() - began
    used = meter.result
    assert used.duration_s == pytest.approx(took_s, abs=0.2)
    assert used.mean_w == pytest.approx(7.0)
    assert used.peak_w == pytest.approx(7.0)
    assert used.energy_j == pytest.approx(7.0 * used.duration_s)
    assert used.rails_w == pytest.approx({"VDD_IN": 7.0})
    assert used.uncertainty_j < 0.1 * used.energy_j


def test_an_error_in_the_block_passes_and_the_meter_stays_readable(tmp_path: Path) -> None:
    log = constant(tmp_path, 5000)
    with (
        pytest.raises(ZeroDivisionError),
        edgesr.measure_power(f"replay:{log}") as meter,
    ):
        time.sleep(3.5)
        _ = 1 / 0
    assert meter.result.mean_w == pytest.approx(5.0)


def test_a_block_too_short_for_the_sensor(tmp_path: Path) -> None:
    with edgesr.measure_power(f"replay:{constant(tmp_path, 5000)}") as meter:
        pass
    with pytest.raises(edgesr.PowerError):
        _ = meter.result


def test_no_sensor_is_an_error_at_once() -> None:
    with (
        pytest.raises(edgesr.MissingError, match="no power can be read here"),
        edgesr.measure_power("none"),
    ):
        pytest.fail("the block ran")
    with (
        pytest.raises(edgesr.ConfigError) as error,
        edgesr.measure_power("abacus"),
    ):
        pytest.fail("the block ran")
    assert error.value.field == "power"


def test_a_log_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["power", str(LOG), "--from", "3", "--to", "9.5", "--json"])
    printed = json.loads(capsys.readouterr().out)
    found = edgesr.read_power_log(LOG, 3, "9.5")
    assert json.loads(json.dumps(found)) == printed
    assert (found["from_s"], found["to_s"]) == (3.0, 9.5)


def test_a_moment_that_is_none_names_the_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(edgesr.ConfigError) as error:
        edgesr.read_power_log(LOG, end="soon")
    assert error.value.field == "end"
    with pytest.raises(SystemExit) as stop:
        main(["power", str(LOG), "--to", "soon"])
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith("error: --to: 'soon' is neither")


def test_a_bench_is_its_result_file() -> None:
    result = edgesr.read_bench(RUN)
    kept = json.loads((RUN / "result.json").read_text())
    assert json.loads(json.dumps(result.to_json())) == kept
    with pytest.raises(edgesr.DataError):
        edgesr.read_bench(LOGS)
