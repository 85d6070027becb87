"""Sharing traces changes no file: equal networks alone get the same one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from traced_once import digest, traced_once

from edgesr.export.torch_graph import trace
from edgesr.models import get_network

TILE = 12


def network(name: str, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return get_network(name).module(2).eval()


def test_a_shared_trace_is_what_a_new_one_would_be(tmp_path: Path) -> None:
    asked = []

    def counting(*arguments: Any) -> Any:
        asked.append(arguments[1:])
        return trace(*arguments)

    once = traced_once(counting, tmp_path)
    first, again = (once(network("espcn"), TILE, 1) for _ in range(2))
    assert asked == [(TILE, 1)]
    fresh = trace(network("espcn"), TILE, 1)
    assert again.SerializeToString() == first.SerializeToString() == fresh.SerializeToString()
    assert once(network("espcn", seed=1), TILE, 1) != first
    assert len(asked) == 2


@pytest.mark.parametrize("name", ["espcn", "smfanet:D8-B1", "mambalitesr:D8-G1-B2-N2-SKIP"])
def test_what_decides_a_trace_is_in_its_key(name: str) -> None:
    same = digest(network(name), TILE, 1)
    assert digest(network(name), TILE, 1) == same
    others = [
        digest(network(name, seed=1), TILE, 1),
        digest(network(name), TILE + 1, 1),
        digest(network(name), TILE, None),
        digest(network(name).train(), TILE, 1),
    ]
    assert len({same, *others}) == 5


def test_a_setting_that_is_no_weight_is_in_the_key() -> None:
    """The directions of scans, which turn from layer to layer, are attributes of modules."""
    plain, turned = (network(f"mambalitesr:D8-G2-B2-N2{turn}") for turn in ("", "-TURN"))
    assert plain.state_dict().keys() == turned.state_dict().keys()
    turned.load_state_dict(plain.state_dict())
    assert digest(plain, TILE, 1) != digest(turned, TILE, 1)
