"""Fixtures of all folders; the modules they come from lie beside this file."""

import signal
import sys
from pathlib import Path

import one_thread  # noqa: F401  (first, before anything that imports torch)
import pytest
from engine_fixtures import engine_manifest, onnx_manifest, orin_nano, small_onnx
from kernel_on_host import kernel_on_host
from nearest_network import data, make_nearest
from traced_once import shared_traces

__all__ = [
    "data",
    "engine_manifest",
    "kernel_on_host",
    "make_nearest",
    "onnx_manifest",
    "orin_nano",
    "shared_traces",
    "small_onnx",
]

# `import benchmarks`; last, so that an installed edgesr is tested where there is one.
sys.path.append(str(Path(__file__).parents[1]))

pytest_plugins = [
    "expected_skips",
    "fresh_examples",
    "heavy_first",
    "long_tests",
    "optional_packages",
]


@pytest.fixture(autouse=True)
def edgesr_home(tmp_path, monkeypatch):
    """Keep exports, engines and caches of a test out of the place of whoever runs the tests."""
    place = tmp_path / "edgesr-home"
    monkeypatch.setenv("EDGESR_HOME", str(place))
    return place


# A shell lets what it starts in the background ignore Ctrl-C, and children inherit that; the tests
# that press Ctrl-C must not depend on how they were started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
