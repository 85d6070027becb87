"""Commands on a disk that is full from their n-th write on, for every n.

    python benchmarks/hostile/full_disks.py export bench -o SUMMARY.json

Files below `out/` cannot be made or grow from the n-th such event on, with the system's own error
(ENOSPC); what needs no space still works, as on a real disk. The command must end with exit code 1
and one line, and what was there must be as it was, or all of it new.
"""

import argparse
import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copytree
from typing import Any

from kills import SCENARIOS, Scenario, listing, prepare, sample, undisturbed

from edgesr.files import write_json

_TAKES_SPACE = ("open ", "second half of ", "os.mkdir ")


def run_full(full_from: int, folder: Path, command: list[str]) -> int:
    """Run a command in this process, on a disk that is full; return how many writes there were."""
    import builtins
    import io

    from killed import Counter

    from edgesr.cli import main as edgesr

    class FullDisk(Counter):
        """Fails what needs space, from one event on."""

        def __init__(self) -> None:
            super().__init__(0, folder)
            self.writes = 0

        def change(self, what: str, path: object) -> None:
            if not f"{what} ".startswith(_TAKES_SPACE):
                return
            self.writes += 1
            if full_from and self.writes >= full_from:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    disk = FullDisk()
    sys.addaudithook(disk.audit)
    io.open = builtins.open = disk.open  # type: ignore[assignment]
    try:
        edgesr(command)
    except SystemExit as end:
        if end.code:
            raise
    return disk.writes


def start(folder: Path, full_from: int, command: tuple[str, ...]) -> Any:
    """Run a command in a folder in a process of its own."""
    (folder / "tmp").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, __file__, "--child", str(full_from), *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(folder / "tmp")},
    )


def judge(old: Path, new: Path, scenario: Scenario, full_from: int) -> str:
    """Run a command on a disk that is full from one write on.

    Returns:
        "" or what is wrong; to end as if all were well is wrong too.
    """
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy"
        copytree(old, copy)
        done = start(copy, full_from, scenario.command)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        if done.returncode != 1 or len(errors) != 1 or "Traceback" in done.stderr:
            return f"exit code {done.returncode}: {done.stderr[-500:]}"
        try:
            found = scenario.state(copy)
        except Exception as error:
            return f"lost: {type(error).__name__}: {error}"
        if found not in (scenario.state(old), scenario.state(new)):
            return f"neither old nor new: {found}"
        hidden = [path for path in listing(copy / "out") if Path(path).name.startswith(".")]
        return f"left over: {hidden}" if hidden else ""


def main() -> None:
    """Fill the disk at every write of the commands asked for and write a summary."""
    if sys.argv[1:2] == ["--child"]:
        run_full(int(sys.argv[2]), Path("out"), sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="+", choices=list(SCENARIOS))
    parser.add_argument("--at-most", type=int, help="Fill it at so many writes, evenly apart.")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    summary = {}
    for name in args.commands:
        scenario = SCENARIOS[name]
        with tempfile.TemporaryDirectory() as root:
            old, new = Path(root) / "old", Path(root) / "new"
            old.mkdir()
            prepare(old, scenario)
            made = undisturbed(old, new, scenario)
            writes = sum(f"{change} ".startswith(_TAKES_SPACE) for change in made)
            chosen = sample(writes, args.at_most)
            verdicts = {number: judge(old, new, scenario, number) for number in chosen}
        wrong = [f"{number}: {text}" for number, text in verdicts.items() if text]
        summary[name] = {"writes": writes, "full_from": chosen, "wrong": wrong}
        write_json(args.output, summary)
        print(f"{name}: {len(chosen)} of {writes} writes, {len(wrong)} wrong", flush=True)


if __name__ == "__main__":
    main()
