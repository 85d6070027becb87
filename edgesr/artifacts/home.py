"""The one place of a person's own files: exports, engines, timing caches, compiled plugins.

It is `$EDGESR_HOME`, else `edgesr` in the data folder of the XDG Base Directory Specification
(`$XDG_DATA_HOME`, else `~/.local/share`), and the same from whichever folder a command is run.
"""

import os
from pathlib import Path

from edgesr.errors import ConfigError, shell

VARIABLE = "EDGESR_HOME"


def home() -> Path:
    """Return the folder, absolute, whether it exists yet or not.

    Raises:
        ConfigError: EDGESR_HOME is a relative path, which would be another one in every folder.
    """
    own = os.environ.get(VARIABLE)
    if own:
        path = Path(own).expanduser()
        if not path.is_absolute():
            raise ConfigError(
                f"'{own}' is relative to wherever a command is run",
                where=VARIABLE,
                fix=f"export {VARIABLE}={shell(path.absolute())}",
            )
        return path
    data = os.environ.get("XDG_DATA_HOME", "")
    # The specification has relative paths ignored.
    base = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return base / "edgesr"


def exports() -> Path:
    """Return the folder of exported ONNX files that were given no name."""
    return home() / "exports"


def engines() -> Path:
    """Return the folder of engines that were given no name, in which models find theirs."""
    return home() / "engines"


def timing_caches() -> Path:
    """Return the folder of the builder's kernel timings."""
    return home() / "timing"


def plugins() -> Path:
    """Return the folder of plugins that were compiled here."""
    return home() / "plugins"
