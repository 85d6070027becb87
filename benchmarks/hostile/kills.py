"""Commands killed before every single change of the file system that they make.

    python -m benchmarks.hostile.kills -o benchmarks/results/hostile/kills.json.xz

For every change: the state before is put up, the command is killed there by SIGKILL, the result is
read as the next command would read it and must be the old or the new one, then the command runs
again, must succeed, and must leave what an undisturbed run leaves and nothing else.
"""

from pathlib import Path

from benchmarks.hostile.children import Children
from benchmarks.hostile.places import States, disturbed, misjudged, walk
from benchmarks.hostile.scenarios import SCENARIOS, Scenario

STDOUT_ONLY = ("power", "eval", "models", "doctor")
"""Commands that change no file."""


def judge(states: States, children: Children, at: int) -> str:
    """Kill a command before one of its changes.

    Returns:
        "" or what was wrong.
    """
    with disturbed(states, children, "kill", at) as (copy, killed):
        if killed.exit_code != -9:
            return f"it was not killed: exit code {killed.exit_code}, {killed.stderr[-500:]}"
        if found := misjudged(states, copy):
            return f"after the kill: {found}"
        again = children.run(states.request(copy))
        if again.exit_code:
            return f"the next run failed: {again.stderr[-500:]}"
        state = states.scenario.state
        if state(copy) != state(states.new):
            return "the next run gave something else"
        left = _listing(copy, states.scenario) ^ _listing(states.new, states.scenario)
        return f"left over or lost: {sorted(left)}" if left else ""


def _listing(folder: Path, scenario: Scenario) -> set[str]:
    """Return every path below a folder, one of two names for the other."""
    first, second = scenario.names
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    return {"/".join(first if part == second else part for part in path.parts) for path in paths}


def every_change(states: States) -> list[int]:
    """Return the numbers of all changes."""
    return list(range(1, len(states.changes) + 1))


def main() -> None:
    """Kill the commands that are asked for."""
    walk(
        __doc__,
        [name for name in SCENARIOS if name not in STDOUT_ONLY],
        "none",
        every_change,
        judge,
    )


if __name__ == "__main__":
    main()
