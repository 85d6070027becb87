"""Which networks there are: all that are known where torch is there, else those that ship."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgesr.errors import Argument, ConfigError, MissingError
from edgesr.weights import shipped, shipped_names

TILE = 64  # side of the input for which multiply-adds are given


@dataclass(frozen=True)
class ListedNetwork:
    """A network at one scale, as it is listed.

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


def list_networks(
    names: Sequence[str] = (), scale: int = 4
) -> tuple[list[ListedNetwork], MissingError | None]:
    """List networks with their size.

    Args:
        names: of networks, also with hyper-parameters (`espcn:D16-S32`); none: all named ones.
        scale: for which the sizes are given.

    Returns:
        The networks; and what is missing here, so that only those that ship are listed, or None.

    Raises:
        ConfigError: no such network, or none at this scale.
    """
    try:
        return _registered(names, scale), None
    except MissingError as error:
        return _from_manifests(names, scale), error


def _registered(names: Sequence[str], scale: int) -> list[ListedNetwork]:
    from edgesr.models import all_networks, get_network

    networks = [get_network(name) for name in names]
    networks = networks or [known for known in all_networks() if scale in known.scales]
    if not networks:
        raise ConfigError(
            f"no network enlarges by {scale}", where=Argument("scale"), fix=Argument("scale", 4)
        )
    from edgesr.models.cost import multiply_adds  # after the registry has asked for torch
    from edgesr.models.network import parameter_count

    return [
        ListedNetwork(
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


def _from_manifests(names: Sequence[str], scale: int) -> list[ListedNetwork]:
    """List what is shipped at `scale`, without torch."""
    from edgesr.artifacts.onnx_manifest import OnnxManifest

    here = [name for name, factor in shipped_names() if factor == scale]
    if not (names or here):
        raise ConfigError(
            f"no network is shipped at {scale}; other networks need torch",
            where=Argument("scale"),
            fix=Argument("scale", 4),
        )
    unknown = [name for name in names if name not in here]
    if unknown:
        raise ConfigError(
            f"{', '.join(unknown)} is not shipped at scale {scale}; other networks need torch",
            fix="pip install 'edgesr[train]'",
        )
    rows = []
    for name in names or here:
        manifest = OnnxManifest.read(shipped(name, scale, "onnx"))
        rows.append(
            ListedNetwork(
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
