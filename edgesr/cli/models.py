"""`edgesr models`: what networks there are, how large, and which come with weights."""

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from edgesr.cli._console import say
from edgesr.errors import ConfigError, MissingError
from edgesr.weights import shipped, shipped_names

TILE = 64  # side of the input for which multiply-adds are given


@dataclass(frozen=True)
class Row:
    """One network at one scale.

    Attributes:
        name: what to type.
        scale: for which parameters and multiply-adds are given.
        parameters: trainable values.
        multiply_adds: for one input tile.
        tile: side of that tile.
        scales: factors at which the network exists; None: torch is needed to tell.
        shipped: factors for which weights come with the package.
        summary: what it is; None: torch is needed to tell.
        context: on what part of the input an output pixel depends; None as for `summary`.
    """

    name: str
    scale: int
    parameters: int
    multiply_adds: int
    tile: int
    scales: tuple[int, ...] | None
    shipped: tuple[int, ...]
    summary: str | None
    context: str | None


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Networks, also with hyper-parameters (espcn:D16-S32). Default: all named ones.",
        ),
    ] = None,
    scale: Annotated[int, typer.Option("--scale", "-s", help="Scale the sizes are given for.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the networks: parameters, multiply-adds of a 64x64 input tile, context, scales."""
    missing = None
    try:
        rows = _registered(names, scale)
    except MissingError as error:
        missing = error
        rows = _from_manifests(names, scale)
    if as_json:
        document = {
            "networks": [asdict(row) for row in rows],
            "missing": None if missing is None else str(missing),
        }
        say(json.dumps(document, indent=2))
        return
    _print(rows, scale)
    if missing is None:
        say("\nOther sizes follow a colon, such as esr-cnn:C8-D9-S6; docs/networks.md says how.")
    else:
        say(f"\nOnly what is shipped can be listed: {missing}")


def _registered(names: list[str] | None, scale: int) -> list[Row]:
    from edgesr.models import all_networks, get_network

    networks = [get_network(name) for name in names or []]
    networks = networks or [known for known in all_networks() if scale in known.scales]
    if not networks:
        raise ConfigError(f"no network enlarges by {scale}", where="--scale", fix="--scale 4")
    from edgesr.models.cost import multiply_adds  # after the registry has asked for torch
    from edgesr.models.network import parameter_count

    return [
        Row(
            name=network.name,
            scale=scale,
            parameters=parameter_count(network.module(scale)),
            multiply_adds=multiply_adds(network, scale, TILE, TILE),
            tile=TILE,
            scales=network.scales,
            shipped=_shipped_scales(network.name),
            summary=network.summary,
            context=network.context,
        )
        for network in networks
    ]


def _from_manifests(names: list[str] | None, scale: int) -> list[Row]:
    """List what is shipped at `scale`, without torch."""
    from edgesr.artifacts.onnx_manifest import OnnxManifest

    here = [name for name, factor in shipped_names() if factor == scale]
    unknown = [name for name in names or [] if name not in here]
    if unknown:
        raise ConfigError(
            f"{', '.join(unknown)} is not shipped at scale {scale}; other networks need torch",
            fix="pip install 'edgesr[train]'",
        )
    rows = []
    for name in names or here:
        manifest = OnnxManifest.read(shipped(name, scale, "onnx"))
        rows.append(
            Row(
                name=name,
                scale=scale,
                parameters=manifest.parameters,
                multiply_adds=manifest.multiply_adds_per_tile,
                tile=manifest.tile,
                scales=None,
                shipped=_shipped_scales(name),
                summary=None,
                context=None,
            )
        )
    return rows


def _shipped_scales(name: str) -> tuple[int, ...]:
    return tuple(factor for known, factor in shipped_names() if known == name)


def _print(rows: list[Row], scale: int) -> None:
    say(f"Parameters and multiply-adds at scale {scale}.\n")
    layout = "{:<16} {:>10} {:>20}  {:<8} {}"
    say(layout.format("NAME", "PARAMETERS", "MULTIPLY-ADDS", "SCALES", "SHIPPED"))
    for row in rows:
        say(
            layout.format(
                row.name,
                f"{row.parameters:,}",
                f"{row.multiply_adds / 1e6:,.1f} M / {row.tile}x{row.tile}",
                _factors(row.scales or row.shipped),
                _factors(row.shipped) or ("no" if row.parameters else "needs none"),
            ).rstrip()
        )
        if row.summary:
            say(f"    {row.summary}")
            say(f"    a pixel depends on {row.context}")


def _factors(scales: tuple[int, ...]) -> str:
    return "x" + ",".join(map(str, scales)) if scales else ""
