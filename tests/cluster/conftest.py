"""A Ray cluster of two workers on this machine, for the tests that spread pictures."""

import os
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head that does no work and two workers of one CPU each."""
    if not os.environ.get("EDGESR_RAY"):
        pytest.skip("a minute and more: set EDGESR_RAY=1")
    from ray.cluster_utils import Cluster

    started = Cluster(
        initialize_head=True,
        connect=False,
        head_node_args={"num_cpus": 0, "include_dashboard": False},
    )
    try:
        started.add_node(num_cpus=1, resources={"first": 1})
        started.add_node(num_cpus=1, resources={"second": 1})
        yield started
    finally:
        started.shutdown()
