"""The errors a user can meet; each says what is wrong, where, and what to type next.

EdgesrError
├── ConfigError     an option, a name or a combination that cannot be
├── ImageError      a picture that cannot be read, processed or written
│   └── LimitError  a picture of more pixels than the limit allows
├── DataError       a folder of images that does not hold what is needed
├── WeightsError    a checkpoint that does not fit its network
├── ModelError      an .onnx file or manifest that cannot be used
├── ExportError     a graph that may not leave the house
├── EngineError     a TensorRT engine that cannot be built or loaded
├── PowerError      a sensor or a power log that cannot be read
├── StreamError     live video that cannot be opened, read or shown
└── MissingError    a package, tool or device that is not on this machine
"""

import shlex
from pathlib import PurePath

_SHOWN = 2000  # characters of a message; a path may have 4096


def shell(word: str | PurePath) -> str:
    """Return a file's name as a shell takes it, for the commands that people are told to type."""
    return shlex.quote(str(word))


def _in_one_line(text: str) -> str:
    """Return a text that may quote a file: its line ends as escapes, its middle cut if long."""
    line = "\\n".join(text.splitlines())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN // 2]} ... {line[-_SHOWN // 2 :]}"


class EdgesrError(Exception):
    """Base of everything the command line reports without a traceback.

    Args:
        what: one sentence without a full stop: what is wrong.
        where: the file, option or device it concerns.
        fix: the next command to type, or what to change.
    """

    def __init__(self, what: str, *, where: object | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.fix = fix

    @property
    def line(self) -> str:
        """What is wrong and where, in one line."""
        parts = [self.what] if self.where is None else [self.where, self.what]
        return ": ".join(map(_in_one_line, parts))

    def __str__(self) -> str:
        return self.line if self.fix is None else f"{self.line}\n  try: {self.fix}"


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


class MissingError(EdgesrError):
    """A package, tool or device that is not on this machine."""
