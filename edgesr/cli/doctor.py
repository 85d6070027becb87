"""`edgesr doctor`: what is on this machine, what is missing, what to type next."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from edgesr.cli._console import say
from edgesr.cli._exit_codes import FAILED


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what is installed, what is missing and what to type next.

    The exit code is 1 when something is missing that this machine needs.
    """
    from edgesr.boards.device import detect_board
    from edgesr.doctor import MISSING, diagnose, next_steps

    checks = diagnose()
    steps = next_steps(checks, is_jetson=detect_board() is not None)
    if as_json:
        document = {"checks": [asdict(check) for check in checks], "next": list(steps)}
        say(json.dumps(document, indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            say(f"{check.state:8} {check.name:{width}}  {check.text}")
        say("next:")
        for step in steps:
            say(f"  {step}")
    if any(check.state == MISSING for check in checks):
        raise typer.Exit(FAILED)
