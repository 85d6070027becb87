"""Real engines of the networks that are meant for boards, exported afresh, built without a GPU.

Tiles of 16 keep this short: the number of layers hardly depends on the tile. The builds run beside
the next export, two at a time.
"""

from concurrent.futures import ThreadPoolExecutor

import onnx
import pytest
from random_weights import save_random_weights

from edgesr import weights
from edgesr.artifacts.engine_manifest import EngineManifest
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.boards.board import get_board
from edgesr.boards.device import read_device
from edgesr.engine.build import BuildRequest, build
from edgesr.export.exporter import ExportRequest, export
from edgesr.export.mixer import kind_of

pytest.importorskip("tensorrt_rtx")
pytestmark = pytest.mark.long  # tests/cli/test_chain.py builds real engines of small networks
MODELS = (("teacher", "fp32"), *(("student", kind) for kind in ("fp32", "fp16", "int8")))


@pytest.fixture(scope="module")
def engines(tmp_path_factory, shared_traces):
    """(network, precision) -> (engine, manifest)."""
    folder = tmp_path_factory.mktemp("engines")

    def make(graph):
        request = BuildRequest(graph, get_board("rtx"))
        return build(request, read_device(folder), folder / "cache", graph.with_suffix(".engine"))

    with ThreadPoolExecutor(2) as pool:
        builds = {}
        for network, precision in MODELS:
            graph = folder / f"{network}_{precision}.onnx"
            given = weights_of(network, folder)
            export(
                ExportRequest(network, given, precision=precision, tile=16, batch=1, output=graph)
            )
            builds[network, precision] = pool.submit(make, graph)
        return {name: future.result() for name, future in builds.items()}


def weights_of(network, folder):
    """The shipped weights, or new ones where none are shipped."""
    if (network, 4) in weights.shipped_names():
        return None
    return save_random_weights(folder / f"{network}.safetensors", network)


@pytest.mark.parametrize(("network", "precision"), MODELS)
def test_a_real_engine(engines, network, precision):
    path, manifest = engines[network, precision]
    assert EngineManifest.read(path) == manifest
    assert path.stat().st_size > 1_000_000
    assert (manifest.network, manifest.precision) == (network, precision)
    assert manifest.attempts[-1].result == "built"
    assert manifest.inputs and manifest.outputs
    assert not {"LOOP", "RECURRENCE", "ITERATOR", "LOOP_OUTPUT", "CONDITION"} & set(manifest.layers)


def test_half_precision_multiplies_in_half_and_keeps_its_islands(engines):
    path, manifest = engines["student", "fp16"]
    layers = manifest.layers
    islands = OnnxManifest.read(path.with_suffix(".onnx")).fp32_islands
    large = [island for island in islands if island.startswith("Conv ")]
    kinds = list(map(kind_of, onnx.load(path.with_suffix(".onnx")).graph.node))
    # each mixer convolves in float32 inside: along its path, to project, and in its three levels
    assert layers["CONVOLUTION"].get("fp32", 0) == len(large) + 7 * kinds.count("MambaMixer")
    assert layers["CONVOLUTION"]["fp16"] == kinds.count("Conv") - len(large)
    assert layers["NORMALIZATION"] == {"fp32": layers["NORMALIZATION"]["fp32"]}
    assert layers["MATRIX_MULTIPLY"]["fp16"] > 0


def test_int8_multiplies_most_in_int8_and_scans_in_single(engines):
    path, manifest = engines["student", "int8"]
    source = path.with_suffix(".onnx")
    nodes = OnnxManifest.read(source).quantization.nodes
    layers = manifest.layers
    kinds = [node.op_type for node in onnx.load(source).graph.node]
    assert layers["QUANTIZE"] == {"int8": kinds.count("QuantizeLinear")}  # one for both of in_proj
    assert layers["CONVOLUTION"]["int8"] + layers["MATRIX_MULTIPLY"]["int8"] == len(nodes)
    assert layers["CONVOLUTION"]["fp16"] >= 2  # the ends
    assert layers["NORMALIZATION"] == {"fp32": layers["NORMALIZATION"]["fp32"]}
    assert layers["UNARY"] == {"fp32": layers["UNARY"]["fp32"]}  # the decays of the scan


def test_full_precision_has_no_half_anywhere(engines):
    for network in ("student", "teacher"):
        assert not any("fp16" in row for row in engines[network, "fp32"][1].layers.values())


def test_half_precision_makes_a_smaller_engine(engines):
    half, full = (engines["student", kind][0].stat().st_size for kind in ("fp16", "fp32"))
    assert half < full
