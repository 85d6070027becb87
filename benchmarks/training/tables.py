"""The paper's training tables, made again: III, IV, and the trained row of I and II.

    python -m benchmarks.training.tables run --data PHOTOS --sets SETS --runs runs/tables
    python -m benchmarks.training.tables render --runs runs/tables

`run` trains every run that has no result in RUNS yet, at the paper's settings, and scores it on the
sets of SETS, which holds Set5 and, for the tables, Set14 and BSD100. A run that was killed goes on
from its checkpoint; `--time-limit-s` stops with one. Several GPUs of a machine share the work with
`--part 0/2 --device cuda:0` and `--part 1/2 --device cuda:1`, over one RUNS. `--seed 1` repeats the
students of Table IV. `render` copies metrics.csv, config.json and the scores of finished runs to
benchmarks/results/training/ and writes figures and tables of TRAINING.md from there; without
`--runs` it only writes them again.
"""

import argparse
import time
from pathlib import Path

from benchmarks.shared.commands import errors_in_one_line, parser_of
from benchmarks.training.page import add_places, write_page
from benchmarks.training.plan import TABLES, PaperRun, Place, Plan, configure, paper_runs
from benchmarks.training.results import collect
from benchmarks.training.runs import (
    VALIDATION,
    Deadline,
    decoded_once,
    finish,
    is_finished,
    open_score_sets,
    say,
    share,
)
from benchmarks.training.text import SETS
from edgesr.cli._signals import stop_on_signals
from edgesr.errors import ConfigError, DataError
from edgesr.files import make_folder

POLL_S = 2.0  # between looks whether another part has finished a teacher


def run(args: argparse.Namespace, plan: Plan) -> None:
    """Train and score what this part has to do."""
    sets = open_score_sets(args.sets, SETS)
    runs = [each for each in paper_runs(plan, args.seed) if args.only in (None, each.table)]
    if not runs:
        raise ConfigError(
            f"only the students of table4 have other seeds, not {args.only}", where="--seed"
        )
    make_folder(args.runs)
    with stop_on_signals() as asked, decoded_once(args.cache) as cache:
        deadline = Deadline(args.time_limit_s, asked)
        place = Place(
            args.data, args.sets / VALIDATION, args.runs, cache, args.device, args.precision
        )
        mine, waited_for = share(runs, args.part), None
        while waiting := [each for each in mine if not is_finished(args.runs / each.name)]:
            if deadline.over:
                say(f"left to do: {', '.join(each.name for each in waiting)}")
                return
            ready = next((each for each in waiting if _has_teacher(each, args.runs)), None)
            if ready is None:
                if waited_for != waiting[0].teacher:
                    waited_for = waiting[0].teacher
                    say(f"waiting for {waited_for}, which another part trains")
                time.sleep(POLL_S)
                continue
            config = configure(ready, plan, place, _teacher_weights(ready, args.runs))
            if not finish(config, sets, deadline):
                return
    say("all runs of this part are finished")


def _has_teacher(each: PaperRun, runs: Path) -> bool:
    return each.teacher is None or is_finished(runs / each.teacher)


def _teacher_weights(each: PaperRun, runs: Path) -> Path | None:
    return None if each.teacher is None else next((runs / each.teacher).glob("*.safetensors"))


def render(args: argparse.Namespace, plan: Plan) -> None:
    """Take over what is finished, and write the page."""
    if args.runs is not None:
        if not args.runs.is_dir():
            raise DataError(
                "no such folder", where=args.runs, fix="python -m benchmarks.training.tables run"
            )
        for folder in sorted(args.runs.iterdir()):
            if is_finished(folder):
                say(f"took over {collect(folder, args.results / 'training' / folder.name)}")
    write_page(args, plan)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = parser_of(__doc__)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.set_defaults(run=run)
    running.add_argument("--data", type=Path, required=True, help="folder of HR pictures")
    running.add_argument("--sets", type=Path, required=True, help="holds Set5, Set14, BSD100")
    running.add_argument("--runs", type=Path, required=True)
    running.add_argument("--only", choices=TABLES)
    running.add_argument("--part", default="0/1", metavar="I/N")
    running.add_argument("--seed", type=int, default=0)
    running.add_argument("--time-limit-s", type=float)
    running.add_argument("--cache", type=Path, help="keep the decoded pictures here for next time")
    running.add_argument("--device", help="as edgesr train --device")
    running.add_argument("--precision", default="auto", help="as edgesr train --precision")
    rendering = commands.add_parser("render")
    rendering.set_defaults(run=render)
    rendering.add_argument("--runs", type=Path)
    add_places(rendering)
    return parser


def main(arguments: list[str] | None = None, plan: Plan | None = None) -> None:
    """Run one of the commands.

    Args:
        arguments: of the command line; None for this process's.
        plan: networks and numbers; None for the paper's.
    """
    args = build_parser().parse_args(arguments)
    with errors_in_one_line():
        args.run(args, plan or Plan())


if __name__ == "__main__":
    main()
