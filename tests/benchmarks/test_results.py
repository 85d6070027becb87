"""The committed results: what the documents say is what the raw files say."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.shared import pareto
from benchmarks.table1.__main__ import PLOTS
from benchmarks.table1.measuring import SCHEMA, cost
from benchmarks.table1.measuring import again as again_of
from benchmarks.table1.text import apart, page, to_csv
from edgesr.bench.raw_files import read_raw

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "benchmarks/results/table1").glob("table1_*.json"))
README = (ROOT / "benchmarks/README.md").read_text()


def test_there_is_a_result() -> None:
    assert RESULTS


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_everything_about_a_result_is_made_from_its_json(path: Path) -> None:
    document = json.loads(path.read_text())
    assert document["schema"] == SCHEMA
    assert document["name"] == path.stem
    again = "python -m benchmarks.table1 render"
    assert path.with_suffix(".md").read_text() == page(document), again
    assert path.with_suffix(".csv").read_text() == to_csv(document), again
    for figure, suffix in PLOTS.items():
        target = path.with_name(f"{path.stem}_{suffix}.svg")
        assert (target.read_text() if target.exists() else None) == pareto.plot(document, figure)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_readme_holds_the_table(path: Path) -> None:
    document = json.loads(path.read_text())
    block = re.search(f"<!-- {path.stem} -->\n(.*?)<!-- end of {path.stem} -->", README, re.DOTALL)
    assert block is not None, "give it its two marks in benchmarks/README.md"
    assert block[1] == page(document), "python -m benchmarks.table1 render"


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_the_costs_are_those_of_the_raw_files(path: Path) -> None:
    document = json.loads(path.read_text())
    recorded = read_raw(path.with_name(f"{path.stem}_bench"))
    again = json.loads(json.dumps(cost(document["networks"], recorded)))
    assert {key: document[key] for key in again} == again


SECOND = [path for path in RESULTS if json.loads(path.read_text()).get("second_run")]


@pytest.mark.parametrize("path", SECOND, ids=lambda path: path.stem)
def test_two_runs_agree_within_five_percent(path: Path) -> None:
    document = json.loads(path.read_text())
    recorded = read_raw(path.with_name(f"{path.stem}_second_bench"))
    second = json.loads(json.dumps(again_of(document["networks"], recorded)))
    assert document["second_run"] == second
    ratios = {name: figures["latency_ratio"] for name, figures in document["cost"].items()}
    assert max(apart(ratios, second["latency_ratio"]).values()) < 0.05


def test_every_mark_of_the_readme_has_its_result() -> None:
    marks = set(re.findall(r"<!-- (table1_\S+) -->", README))
    assert marks == {path.stem for path in RESULTS}


def test_the_document_says_what_sampling_was_seen_to_cost() -> None:
    document = json.loads((ROOT / "benchmarks/results/bench/sampling_overhead.json").read_text())
    text = (ROOT / "docs/bench.md").read_text()
    assert document["command"] in text
    for name, found in document["samplers"].items():
        low, high = found["overhead_interval_95"]
        cells = f"{found['overhead']:+.2%} | {low:+.2%} to {high:+.2%} | yes |".replace("%", " %")
        row = next(line for line in text.splitlines() if line.startswith(f"| {name.split()[0]} "))
        assert row.endswith(cells)
        assert found["interval_is_within_1_percent"]
