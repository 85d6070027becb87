"""The errors a user can meet; each says what is wrong, where, and what to type next.

EdgesrError
├── ConfigError     an option, a name or a combination that cannot be
├── ImageError      a picture that cannot be read, processed or written
│   └── LimitError  a picture of more pixels than the limit allows
├── DataError       a folder of images that does not hold what is needed
├── WeightsError    a checkpoint that does not fit its network
├── ModelError      an .onnx file or manifest that cannot be used
├── ExportError     a graph that is not exported: TensorRT could not run it
├── EngineError     a TensorRT engine that cannot be built or loaded
├── PowerError      a sensor or a power log that cannot be read
├── StreamError     live video that cannot be opened, read or shown
├── NothingYetError work that was asked to stop before there was anything to keep
└── MissingError    a package, tool or device that is not on this machine
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TypeVar

_SHOWN = 2000  # characters of a message; a path may have 4096


def shell(word: str | PurePath) -> str:
    """Return a file's name as a shell takes it, for the commands that people are told to type."""
    return shlex.quote(str(word))


@dataclass(frozen=True)
class Argument:
    """An argument of a call, such as `tile=64`, which on the command line is `--tile 64`.

    Attributes:
        name: as in the call; an option has dashes where it has underscores.
        value: what to give; None: the argument as such, whatever is given.
    """

    name: str
    value: object = None

    def __str__(self) -> str:
        if self.value is None:
            return self.name
        value = str(self.value) if isinstance(self.value, PurePath) else self.value
        return f"{self.name}={value!r}"

    @property
    def option(self) -> str:
        """The option of the command line, with the value as a shell takes it."""
        option = f"--{self.name.replace('_', '-')}"
        is_flag = self.value is None or self.value is True
        return option if is_flag else f"{option} {shell(str(self.value))}"


def _in_one_line(text: str) -> str:
    """Return a text that may quote a file: its line ends as escapes, its middle cut if long."""
    line = "\\n".join(text.splitlines())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN // 2]} ... {line[-_SHOWN // 2 :]}"


class EdgesrError(Exception):
    """Base of everything the command line reports without a traceback.

    Args:
        what: one sentence without a full stop: what is wrong.
        where: the file, argument or device it concerns.
        fix: the next command to type, the argument to give, or what to change.
    """

    def __init__(
        self,
        what: str,
        *,
        where: object | None = None,
        fix: str | Argument | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where if where is None or isinstance(where, Argument) else str(where)
        self.fix = fix

    @property
    def field(self) -> str | None:
        """The name of the argument that is wrong, such as `tile`; None: it is no argument."""
        return self.where.name if isinstance(self.where, Argument) else None

    def as_options(self: "Told", renamed: Mapping[str, str] | None = None) -> "Told":
        """Return the same error with arguments as options of the command line: `--tile 64`.

        Args:
            renamed: option by argument, where the two differ by more than dashes.
        """
        names = renamed or {}
        where, fix = (
            replace(value, name=names.get(value.name, value.name)).option
            if isinstance(value, Argument)
            else value
            for value in (self.where, self.fix)
        )
        return type(self)(self.what, where=where, fix=fix)

    def at(self: "Told", where: object) -> "Told":
        """Return the same error with the file, argument or device that it concerns."""
        return type(self)(self.what, where=where, fix=self.fix)

    @property
    def advice(self) -> str | None:
        """What to do next, as text; None: there is nothing to say."""
        return None if self.fix is None else str(self.fix)

    @property
    def line(self) -> str:
        """What is wrong and where, in one line."""
        parts = [self.what] if self.where is None else [str(self.where), self.what]
        return ": ".join(map(_in_one_line, parts))

    def __str__(self) -> str:
        return self.line if self.fix is None else f"{self.line}\n  try: {self.fix}"


Told = TypeVar("Told", bound=EdgesrError)


class ConfigError(EdgesrError):
    """An option, a name or a combination of them that cannot be."""


class ImageError(EdgesrError):
    """A picture that cannot be read, processed or written."""


class LimitError(ImageError):
    """A picture of more pixels than the limit allows, refused before anything is decoded."""


class DataError(EdgesrError):
    """A folder of images that does not hold what is needed."""


class WeightsError(EdgesrError):
    """A checkpoint that does not fit its network."""


class ModelError(EdgesrError):
    """An ONNX file or its manifest that cannot be used."""


class ExportError(EdgesrError):
    """A graph that fails its own checks and is therefore not written."""


class EngineError(EdgesrError):
    """A TensorRT engine that cannot be built or loaded."""


class PowerError(EdgesrError):
    """A sensor or a power log that cannot be read."""


class StreamError(EdgesrError):
    """Live video that cannot be opened, read or shown."""


class NothingYetError(EdgesrError):
    """Work that was asked to stop, by Ctrl-C say, before there was anything to keep.

    Nothing failed: the command line ends as it does by Ctrl-C everywhere.
    """


class MissingError(EdgesrError):
    """A package, tool or device that is not on this machine."""
