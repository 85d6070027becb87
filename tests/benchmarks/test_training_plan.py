"""The plan of the paper's trainings, and that what is committed was made by it."""

from dataclasses import fields
from itertools import chain
from pathlib import Path

import pytest

from benchmarks.shapes import directions as shapes
from benchmarks.shapes import student as student_shape
from benchmarks.training import distillation
from benchmarks.training import tables as training_tables
from benchmarks.training.plan import Place, Plan, configure, paper_runs
from benchmarks.training.results import read_run
from benchmarks.training.runs import share
from edgesr.errors import ConfigError
from edgesr.train.config import TrainConfig
from edgesr.train.record import plain

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "benchmarks/TRAINING.md"


def test_the_plan_is_the_papers(tmp_path: Path) -> None:
    """Section V-A; what it leaves open is in TRAINING.md."""
    plan, where = Plan(), Place(tmp_path, tmp_path, tmp_path, tmp_path)
    every = {each.name: each for each in paper_runs(plan)}
    assert [
        (every[name].model, every[name].steps) for name in ("table3-rank30", "table3-rank2")
    ] == [
        ("mambalitesr:D60-G8-B2-N16-R30", 1500),
        ("mambalitesr:D60-G8-B2-N16-R2", 1500),
    ]
    assert {each.alpha for each in every.values() if each.table == "table4"} == {
        None, 0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0
    }  # fmt: skip
    assert {each.steps for each in every.values() if each.table == "table4"} == {1000}
    row = every["row2500-student"]
    assert (row.model, row.steps, row.alpha) == ("student-paper", 2500, 0.8)
    for each in every.values():
        config = configure(each, plan, where, tmp_path if each.teacher else None)
        assert (config.batch, config.patch, config.patches_per_image) == (128, 64, 8)
        assert (config.optimizer, config.lr, config.loss) == ("adam", 2e-4, "l1")
        assert config.schedule == "milestones" and config.random_start
        assert (config.warmup, config.clip_norm, config.ema) == (0, 0.0, 0.0)
    order = list(every)
    assert all(
        order.index(each.teacher) < order.index(each.name)
        for each in every.values()
        if each.teacher
    )


PATHS = {"data", "out", "validate", "cache", "device", "precision", "time_limit_s", "distillation"}
COMMITTED = ROOT / "benchmarks/results/training"
EVERY = {each.name: each for seed in range(5) for each in paper_runs(Plan(), seed)}


@pytest.mark.parametrize("name", [name for name in EVERY if (COMMITTED / name).exists()])
def test_what_is_committed_was_trained_as_planned(tmp_path: Path, name: str) -> None:
    each, found = EVERY[name], read_run(COMMITTED / name)
    assert found is not None
    planned = plain(configure(each, Plan(), Place(*[tmp_path] * 4), None))
    # A setting that came after a run was not there to change what is the default now.
    defaults = {field.name: field.default for field in fields(TrainConfig)}
    for invocation in found.invocations:
        for key, value in planned.items():
            if key not in PATHS and key != "resume":
                assert invocation["config"].get(key, defaults[key]) == value, key
        taught = invocation["config"]["distillation"]
        assert (taught and (taught["teacher"], taught["alpha"])) == (
            each.teacher and (each.teacher, each.alpha)
        )


def test_parts_share_everything_once() -> None:
    items = list(range(7))
    parts = [share(items, f"{i}/3") for i in range(3)]
    assert sorted(chain(*parts)) == items
    for wrong in ("3/3", "1", "a/b", "-1/2", "0/0"):
        with pytest.raises(ConfigError, match="--part"):
            share(items, wrong)


def test_every_command_of_the_page_is_understood() -> None:
    tools = (training_tables, student_shape, shapes, distillation)
    scripts = {tool.__name__: tool for tool in tools}
    commands = [line.split() for line in PAGE.read_text().splitlines() if line.startswith("    py")]
    assert len(commands) >= 8
    for _, _, module, *arguments in commands:
        scripts[module].build_parser().parse_args(arguments)
