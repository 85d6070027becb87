import json
import math
from pathlib import Path

import pytest

from edgesr.errors import ConfigError, EdgesrError
from edgesr.train.record import MetricsFile, MetricsRow, read_metrics, record_invocation


def row(step: int, psnr_y_db: float | None = None) -> MetricsRow:
    return MetricsRow(step, 0.5, 1e-3, 2.0, psnr_y_db, 100.0, None, 1.5)


def test_rows_come_back_and_what_was_not_measured_is_nan(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.csv", 0)
    metrics.add(row(10))
    metrics.add(row(20, 28.25))
    first, second = read_metrics(tmp_path / "metrics.csv")
    assert (first["step"], first["loss"], second["psnr_y_db"]) == (10, 0.5, 28.25)
    assert math.isnan(first["psnr_y_db"]) and math.isnan(first["power_w"])


def test_going_on_drops_what_lies_beyond_the_checkpoint_and_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    metrics = MetricsFile(path, 0)
    for step in (10, 20, 30):
        metrics.add(row(step))
    path.write_text(path.read_text() + "40,0.4,0.0")  # killed while it wrote
    assert [kept["step"] for kept in read_metrics(path)] == [10, 20, 30]
    MetricsFile(path, 20).add(row(25))
    assert [kept["step"] for kept in read_metrics(path)] == [10, 20, 25]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.csv", 0)
    (tmp_path / "metrics.csv").unlink()
    (tmp_path / "metrics.csv").mkdir()
    with pytest.raises(EdgesrError, match=r"metrics\.csv: cannot write"):
        metrics.add(row(10))


@pytest.mark.parametrize("content", ['{"a":', "[]", "{}"])
def test_another_config_is_left_alone(content: str, tiny, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        record_invocation(path, tiny(), 0, {})
    assert path.read_text() == content


def test_every_invocation_is_kept(tiny, tmp_path: Path) -> None:
    for step in (0, 40):
        record_invocation(tmp_path / "config.json", tiny(seed=step), step, {"pictures": 3})
    first, second = json.loads((tmp_path / "config.json").read_text())["invocations"]
    assert (first["from_step"], second["from_step"]) == (0, 40)
    assert (first["config"]["seed"], second["config"]["seed"], second["pictures"]) == (0, 40, 3)
