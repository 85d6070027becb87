"""Commands on a disk that is full from their n-th write on, for every n.

    python -m benchmarks.hostile.full_disks -o benchmarks/results/hostile/full_disks.json.xz

The disk is a real one (children.py): before one write it shrinks to what it holds, and everything
the command uses lies on it: its files, its temporary folder, its cache, its standard output. The
command must end with exit code 1 and an error of one line, and what was there must be as it was,
or all of it new. Each place is tried twice: with blocks alone used up, and with room for no new
name either.
"""

from pathlib import Path

from benchmarks.hostile.changes import TAKES_SPACE
from benchmarks.hostile.children import STDOUT, Children
from benchmarks.hostile.places import States, disturbed, misjudged, walk
from benchmarks.hostile.scenarios import SCENARIOS

OUTPUT = "error: No space left on device"
"""What is said of standard output, besides what is said of a file."""
BESIDES = ("  try: ", "note: ", "from step ")
"""How lines begin that belong to an error, or are none."""


def judge(states: States, children: Children, at: int) -> str:
    """Run a command on a disk that is full from one change on, with and without room for names.

    Returns:
        "" or what is wrong.
    """
    verdicts = (_judge(states, children, fault, at) for fault in ("full", "full of names"))
    return "; ".join(filter(None, verdicts))


def _judge(states: States, children: Children, fault: str, at: int) -> str:
    with disturbed(states, children, fault, at) as (copy, done):
        if wrong := _wrong_end(states, copy, done.exit_code, done.stderr):
            return f"{fault}: {wrong}"
        if found := misjudged(states, copy):
            return f"{fault}: lost: {found}"
        kept = states.scenario.kept
        hidden = [path.name for path in copy.rglob(".*") if not path.name.startswith(kept)]
        hidden += [path.name for path in (copy / "tmp").iterdir()]
        return f"{fault}: left over: {hidden}" if hidden else ""


def _wrong_end(states: States, copy: Path, exit_code: int, stderr: str) -> str:
    """Return what is wrong with how a command ended: quietly only if all of it fitted."""
    if not states.scenario.ends:  # what it answered is judged by who asked (surroundings.py)
        return f"exit code {exit_code}: {stderr[-500:]}" if exit_code or stderr else ""
    if not exit_code and states.scenario.state(copy) == states.scenario.state(states.new):
        whole = (states.new / STDOUT).read_text().count("\n")
        return "" if (copy / STDOUT).read_text().count("\n") == whole else "half of the output"
    lines = [line for line in stderr.splitlines() if not line.startswith(BESIDES)]
    errors = [line for line in lines if line != OUTPUT] or lines
    if exit_code != 1 or len(errors) != 1 or not errors[0].startswith("error: "):
        return f"exit code {exit_code}: {stderr[-500:]}"
    return ""


def every_write(states: States) -> list[int]:
    """Return the numbers of the changes that need room."""
    changes = enumerate(states.changes, start=1)
    return [number for number, change in changes if f"{change} ".startswith(TAKES_SPACE)]


def main() -> None:
    """Fill the disk of the commands that are asked for."""
    walk(__doc__, list(SCENARIOS), "full", every_write, judge)


if __name__ == "__main__":
    main()
