"""Networks: one file each, found by name through one registry."""

from edgesr.models.registry import Network, all_networks, get_network, register

__all__ = ["Network", "all_networks", "get_network", "register"]
