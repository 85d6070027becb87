"""The walk over every place of every command, which kills and full disks share."""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.hostile.children import Children, Done, Request, can_mount
from benchmarks.hostile.scenarios import SCENARIOS, Scenario, prepare
from benchmarks.shared.results import read_result, write_result


@dataclass(frozen=True)
class States:
    """A command whose places are known.

    Attributes:
        scenario: the command.
        old: folder of the state before it.
        new: folder of the state after it, undisturbed.
        changes: of the file system that it makes, in order.
    """

    scenario: Scenario
    old: Path
    new: Path
    changes: tuple[str, ...]

    def request(self, folder: Path, fault: str = "none", at: int = 0) -> Request:
        """Return the request for the command in a folder."""
        scenario = self.scenario
        return Request(str(folder), scenario.command, fault, at, scenario.around)


def make_states(root: Path, scenario: Scenario, children: Children, fault: str = "none") -> States:
    """Make the old state of a scenario in a folder, and of that the new one.

    Args:
        root: an empty folder.
        scenario: what is disturbed.
        children: run the commands.
        fault: where it will run: on a small disk, standard output counts as well.
    """
    old, new = root / "old", root / "new"
    old.mkdir()
    prepare(old, scenario, children)
    shutil.copytree(old, new)
    states = States(scenario, old, new, ())
    done = children.run(states.request(new, fault))
    if done.exit_code:
        raise RuntimeError(f"{' '.join(scenario.command)}: {done.stderr}")
    return States(scenario, old, new, done.changes)


@contextmanager
def disturbed(
    states: States, children: Children, fault: str, at: int
) -> Iterator[tuple[Path, Done]]:
    """Disturb the command at one change; yield the copy of the old state and how it ended."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy"
        shutil.copytree(states.old, copy)
        yield copy, children.run(states.request(copy, fault, at))


def misjudged(states: States, folder: Path) -> str:
    """Return "" if a reader of a folder finds the old or the new state, else what he finds."""
    state = states.scenario.state
    try:
        found = state(folder)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if found in (state(states.old), state(states.new)) else found


def sample(places: Sequence[int], at_most: int | None) -> list[int]:
    """Return places, evenly apart; all of them where no limit is given."""
    if at_most is None or at_most >= len(places):
        return list(places)
    step = (len(places) - 1) / max(1, at_most - 1)
    return [places[number] for number in sorted({round(at * step) for at in range(at_most)})]


def walk(
    description: str | None,
    commands: Sequence[str],
    fault: str,
    places: Callable[[States], list[int]],
    judge: Callable[[States, Children, int], str],
) -> None:
    """Disturb the commands asked for at every place, and write and print a summary.

    Args:
        description: of the script.
        commands: the scenarios that it takes.
        fault: where the commands run.
        places: the numbers of the changes that count.
        judge: "" for a place where all went as it must, else what was wrong.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("commands", nargs="*", help=f"Of {', '.join(commands)}. Default: all.")
    parser.add_argument("--at-most", type=int, help="Try so many places of each, evenly apart.")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    if unknown := [name for name in args.commands if name not in commands]:
        parser.error(f"there is no {', '.join(unknown)}")
    if fault == "full" and not can_mount():
        parser.exit(1, "no file system can be mounted here\n")
    # The commands that are not asked for stay.
    summary: dict[str, Any] = read_result(args.output) if args.output.is_file() else {}
    with Children() as children:
        for name in args.commands or commands:
            with tempfile.TemporaryDirectory() as root:
                states = make_states(Path(root), SCENARIOS[name], children, fault)
                tried = sample(places(states), args.at_most)
                verdicts = {number: judge(states, children, number) for number in tried}
            summary[name] = {
                "changes": [f"{n} {text}" for n, text in enumerate(states.changes, start=1)],
                "tried": tried,
                "wrong": {n: verdict for n, verdict in verdicts.items() if verdict},
            }
            write_result(args.output, summary)
            wrong = len(summary[name]["wrong"])
            print(
                f"{name}: {len(tried)} of {len(places(states))} places, {wrong} wrong", flush=True
            )
