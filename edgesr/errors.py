"""The errors a user can meet; each says what is wrong, where, and what to type next.

EdgesrError
├── ConfigError     an option, a name or a combination that cannot be
├── ImageError      a picture that cannot be read, processed or written
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


def shell(word: str | PurePath) -> str:
    """Return a file's name as a shell takes it, for the commands that people are told to type."""
    return shlex.quote(str(word))


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

    def __str__(self) -> str:
        text = self.what if self.where is None else f"{self.where}: {self.what}"
        return text if self.fix is None else f"{text}\n  try: {self.fix}"


class ConfigError(EdgesrError):
    """An option, a name or a combination of them that cannot be."""


class ImageError(EdgesrError):
    """A picture that cannot be read, processed or written."""


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
