"""Fixtures for engine tests of several folders: small but real networks, the files of a board."""

import numpy as np
import pytest

from edgesr.artifacts.engine_manifest import Attempt, EngineManifest, Verification
from edgesr.artifacts.onnx_manifest import OnnxManifest, Parity
from edgesr.files import sha256

NVPMODEL = """
# comment
< POWER_MODEL ID=0 NAME=15W >
CPU_ONLINE CORE_0 1
< POWER_MODEL ID=1 NAME=25W >
< POWER_MODEL ID=2 NAME=MAXN_SUPER >
< POWER_MODEL ID=3 NAME=7W >
< PM_CONFIG DEFAULT=1 >
"""


def write_small_onnx(path, precision="fp32", batch=1, tile=16, scale=4, seed=0):
    """Write convolution, tanh, convolution, pixel shuffle; in FP16 the tanh is an FP32 island.

    In INT8 the second convolution of that is quantised.
    """
    import onnx

    from edgesr.export.int8 import to_int8

    rng = np.random.default_rng(seed)
    half = precision != "fp32"
    kind = np.float16 if half else np.float32
    weights = {
        "w1": rng.normal(0, 0.2, (16, 3, 3, 3)).astype(kind),
        "w2": rng.normal(0, 0.2, (3 * scale * scale, 16, 3, 3)).astype(kind),
    }
    node = onnx.helper.make_node
    float_, half_ = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    nodes = [node("Cast", ["lr"], ["x0"], name="to_half", to=half_)] if half else []
    nodes.append(node("Conv", ["x0" if half else "lr", "w1"], ["x1"], name="body", pads=[1] * 4))
    if half:
        nodes += [
            node("Cast", ["x1"], ["x1f"], name="island_in", to=float_),
            node("Tanh", ["x1f"], ["x2f"], name="island"),
            node("Cast", ["x2f"], ["x2"], name="island_out", to=half_),
        ]
    else:
        nodes.append(node("Tanh", ["x1"], ["x2"], name="tanh"))
    nodes.append(node("Conv", ["x2", "w2"], ["x3"], name="head", pads=[1] * 4))
    shuffle = {"blocksize": scale, "mode": "CRD", "name": "shuffle"}
    nodes.append(node("DepthToSpace", ["x3"], ["x4" if half else "hr"], **shuffle))
    if half:
        nodes.append(node("Cast", ["x4"], ["hr"], name="to_float", to=float_))
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "small",
        [value("lr", float_, [batch or "batch", 3, tile, tile])],
        [value("hr", float_, [batch or "batch", 3, scale * tile, scale * tile])],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    if precision == "int8":
        tiles = rng.random((2, 3, tile, tile), np.float32)
        model, _ = to_int8(model, tiles, batch, chosen=("head",))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    write_manifest(path, precision=precision, batch=batch, tile=tile, scale=scale)
    return path


def write_manifest(path, **fields):
    """Write the manifest of an ONNX file as the exporter does."""
    values = {
        "network": "small",
        "scale": 4,
        "precision": "fp32",
        "tile": 16,
        "batch": 1,
        "scan_form": None,
        "fp32_islands": (),
        "opset": 17,
        "parameters": 1,
        "multiply_adds_per_tile": 1,
        "parent": None,
        "onnx_sha256": sha256(path),
        "parity": Parity(0.0, 1, "torch float32"),
        "versions": {},
    }
    OnnxManifest(**(values | fields)).write(path)


@pytest.fixture
def small_onnx(tmp_path):
    """Return a function that writes a small network: (name, **options) -> path."""
    pytest.importorskip("onnx")
    return lambda name="small.onnx", **options: write_small_onnx(tmp_path / name, **options)


@pytest.fixture
def onnx_manifest():
    """Return a function that writes the manifest of an ONNX file: (path, **fields)."""
    return write_manifest


@pytest.fixture
def orin_nano(tmp_path):
    """The files of an Orin Nano 8 GB developer kit with JetPack 6.2, as owners have shown them."""
    files = {
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano Engineering Reference Kit Super\0",
        "proc/device-tree/compatible": "nvidia,p3768-0000+p3767-0005-super\0nvidia,p3767-0005\0"
        "nvidia,tegra234\0",
        "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 1, BOARD: generic\n",
        "etc/nvpmodel.conf": NVPMODEL,
        "var/lib/nvpmodel/status": "pmode:0002 fmode:quiet",
        "sys/class/devfreq/17000000.gpu/cur_freq": "306000000\n",
        "sys/class/devfreq/17000000.gpu/max_freq": "1020000000\n",
        "proc/meminfo": "MemTotal:        7802880 kB\nMemFree: 1 kB\n",
        "usr/local/cuda/version.json": '{"cuda": {"name": "CUDA SDK", "version": "12.6.11"}}',
    }
    root = tmp_path / "root"
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def engine_manifest():
    """The manifest of an engine as an Orin Nano 8 GB with JetPack 6.2 would write it."""
    return an_engine_manifest()


def an_engine_manifest():
    """Return what the fixture `engine_manifest` is."""
    return EngineManifest(
        network="small",
        scale=4,
        tile=16,
        batch=1,
        precision="fp16",
        board="jetson-orin-nano-8gb",
        power_mode="25W",
        onnx_file="small.onnx",
        onnx_sha256="0" * 64,
        weights_sha256=None,
        engine_sha256="0" * 64,
        tensorrt_module="tensorrt",
        tensorrt="10.3.0",
        cuda="12.6.68",
        l4t="36.4.3",
        compute_capabilities=("8.7",),
        typing="strongly typed, by network flag",
        layers={"CaskConvolution": {"fp16": 2}},
        layers_from="engine inspector",
        inputs={"lr": (1, 3, 16, 16)},
        outputs={"hr": (1, 3, 64, 64)},
        flags=(),
        attempts=(Attempt(1024, 3, "built"),),
        skipped_tactics=0,
        timing_cache="cold",
        build_s=1.5,
        peak_memory_mib=100,
        edgesr="0.1.0",
        verification=Verification(60.0, 0.001, 4, "patch 2", 58.0, "onnxruntime fp32"),
    )
