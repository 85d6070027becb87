"""The networks that a test can train, export and run in a second: those without a scan."""

from edgesr.models import Network, all_networks
from edgesr.models.mamba import Mamba


def _has_scan(network: Network) -> bool:
    return any(isinstance(part, Mamba) for part in network.module(4).modules())


TWINS = {"smfanet": "smfanet:D36-B1", "smfanet-plus": "smfanet:D48-B1"}
"""Of networks of many equal blocks, which take long to trace, those with a single block."""

SMALL = [
    TWINS.get(network.name, network.name) for network in all_networks() if not _has_scan(network)
]
