"""The codes that a command ends with; Typer's own are 0 when all went well, 2 for a bad option."""

FAILED = 1
"""An error was told, a picture failed, or `doctor` and `verify` found something wrong."""

INTERRUPTED = 130
"""Ctrl-C ended it; what was done by then was told or written. 128 + SIGINT, as shells have it."""
