"""`edgesr models`: what networks there are, how large, and which come with weights."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from edgesr.cli._console import say
from edgesr.text_table import align

if TYPE_CHECKING:
    from edgesr.library.networks import ListedNetwork


def command(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--model",
            help="Network, also with hyper-parameters (espcn:D16-S32); may be repeated. Default: "
            "all named ones.",
        ),
    ] = None,
    scale: Annotated[
        int,
        typer.Option(
            "--scale", "-s", help="Enlargement for which parameters and multiply-adds are given."
        ),
    ] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the networks: parameters, multiply-adds of a 64x64 tile, scales, and how they work."""
    from edgesr.library.networks import list_networks

    rows, missing = list_networks(model or (), scale)
    if as_json:
        document = {
            "networks": [asdict(row) for row in rows],
            "missing": None if missing is None else str(missing.as_options()),
        }
        say(json.dumps(document, indent=2))
        return
    _print(rows, scale)
    if missing is None:
        say("\nOther sizes follow a colon, such as esr-cnn:C8-D9-S6; docs/networks.md says how.")
    else:
        say(f"\nOnly what is shipped can be listed: {missing}")


def _print(rows: list["ListedNetwork"], scale: int) -> None:
    say(f"Parameters and multiply-adds at scale {scale}.\n")
    cells = [
        (
            row.name,
            f"{row.parameters:,}",
            f"{row.multiply_adds / 1e6:,.1f} M / {row.tile}x{row.tile}",
            _factors(row.scales or row.shipped),
            _factors(row.shipped) or ("no" if row.parameters else "needs none"),
        )
        for row in rows
    ]
    header = ("Name", "Parameters", "Multiply-adds", "Scales", "Shipped")
    first, *lines = align([header, *cells], left=(0, 3, 4))
    say(first)
    for row, line in zip(rows, lines, strict=True):
        say(line)
        if row.summary:
            say(f"    {row.summary}")
            say(f"    a pixel depends on {row.context}")


def _factors(scales: tuple[int, ...]) -> str:
    return "x" + ",".join(map(str, scales)) if scales else ""
