"""The power modes of a Jetson: those of its own table, which of them is set, and setting one."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgesr.errors import Argument, ConfigError, EdgesrError, MissingError

TABLE = Path("/etc/nvpmodel.conf")
"""Where Jetson Linux keeps the modes of the board it runs on."""

_MODEL = re.compile(r"^ *< *POWER_MODEL +ID=([0-9]+) +NAME=([^ >]+) *>", re.MULTILINE)
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class BoardMode:
    """A power mode: its number for `nvpmodel -m` and its name as `nvpmodel -q` prints it."""

    id: int
    name: str

    @property
    def option(self) -> str:
        """The name as options take it: MODE_15W and 15W are 15w, MAXN_SUPER is maxn-super."""
        return self.name.lower().replace("_", "-").removeprefix("mode-")


def board_modes(table: Path = TABLE) -> tuple[BoardMode, ...]:
    """Return the modes of this board.

    Raises:
        MissingError: this is no Jetson.
        ConfigError: the table names no mode.
    """
    programs = ("nvpmodel", "jetson_clocks")
    missing = [name for name in programs if shutil.which(name) is None]
    if missing or not table.is_file():
        what = f"there is no {missing[0]}" if missing else f"there is no {table}"
        raise MissingError(
            f"{what}: power modes are those of a Jetson",
            where=Argument("sweep"),
            fix="edgesr bench without --sweep measures this machine as it is",
        )
    try:
        text = table.read_text("utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"cannot read it ({error.strerror})", where=table) from error
    modes = tuple(BoardMode(int(number), name) for number, name in _MODEL.findall(text))
    if not modes:
        raise ConfigError("it names no power mode", where=table)
    return modes


def chosen(modes: Sequence[BoardMode], names: Sequence[str]) -> tuple[BoardMode, ...]:
    """Return the modes of these names, in the order of the names; all of them without any.

    Raises:
        ConfigError: the board has no such mode.
    """
    by_name = {mode.option: mode for mode in modes}
    found = []
    for name in names:
        option = BoardMode(0, name).option
        if option not in by_name:
            known = ", ".join(by_name)
            raise ConfigError(f"this board has {known}; not '{name}'", where=Argument("power_mode"))
        found.append(by_name[option])
    return tuple(dict.fromkeys(found)) or tuple(modes)


def current_id() -> int:
    """Return the number of the mode that is set.

    Raises:
        EdgesrError: `nvpmodel -q` does not say.
    """
    numbers = re.findall(r"^([0-9]+)\s*$", run(["nvpmodel", "-q"]), re.MULTILINE)
    if not numbers:
        raise EdgesrError("nvpmodel -q names no power mode", fix="sudo nvpmodel -q")
    return int(numbers[-1])


def set_mode(number: int, held: Sequence[int] = ()) -> bool:
    """Set a mode; return whether the board took it.

    A mode with other cores than the one before asks for a reboot; the answer is no, and the board
    stays as it is.

    Args:
        number: the mode's.
        held: as for `run`.
    """
    run(["nvpmodel", "-m", str(number)], answer="no\n", may_fail=True, held=held)
    return current_id() == number


def run(
    command: Sequence[str], answer: str = "", may_fail: bool = False, held: Sequence[int] = ()
) -> str:
    """Run a program of the board and return what it prints.

    Args:
        command: the program with its arguments.
        answer: what it reads.
        may_fail: do not raise where its exit status is not 0.
        held: open files that stay open as long as the program runs, should this process be gone.

    Raises:
        EdgesrError: it cannot be run, fails, or does not end.
    """
    words = shlex.join(command)
    try:
        done = subprocess.run(
            command,
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
            pass_fds=held,
            start_new_session=True,  # Ctrl-C is for us; what sets a mode is not cut off
        )
    except OSError as error:
        raise EdgesrError(f"cannot run {words} ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise EdgesrError(f"{words} did not end within {_PATIENCE_S:.0f} s") from error
    if done.returncode and not may_fail:
        last = (done.stdout.strip().splitlines() or ["no message"])[-1]
        raise EdgesrError(f"{words} failed with {done.returncode}: {last}", fix=f"sudo {words}")
    return done.stdout
