"""A network that repeats pixels, and the folder of test pictures, as fixtures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_fixtures import an_engine_manifest

from edgesr.artifacts.onnx_manifest import OnnxManifest, Parity
from edgesr.files import sha256

DATA = Path(__file__).parent / "data"


@pytest.fixture
def data() -> Path:
    """Folder of the test pictures; its README names their sources."""
    return DATA


def write_nearest(
    path: Path,
    scale: int = 4,
    tile: int = 16,
    batch: int | None = None,
    then: tuple[str, float] | None = None,
) -> Path:
    """Write a network that repeats every pixel, which makes any result known exactly."""
    import onnx
    from onnx import TensorProto, helper

    sizes = [batch or "n", 3, tile, tile]
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, scale, scale])
    nodes = [
        helper.make_node(
            "Resize", ["tiles", "", "scales"], ["enlarged" if then is None else "raw"],
            mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        )
    ]  # fmt: skip
    constants = [scales]
    if then is not None:
        constants.append(helper.make_tensor("value", TensorProto.FLOAT, [], [then[1]]))
        nodes.append(helper.make_node(then[0], ["raw", "value"], ["enlarged"]))
    graph = helper.make_graph(
        nodes,
        "nearest",
        [helper.make_tensor_value_info("tiles", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("enlarged", TensorProto.FLOAT, None)],
        constants,
    )
    opset = 18
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 9
    onnx.save(model, path)
    OnnxManifest(
        network="nearest",
        scale=scale,
        precision="fp32",
        tile=tile,
        batch=batch,
        scan_form=None,
        fp32_islands=(),
        opset=opset,
        parameters=0,
        multiply_adds_per_tile=0,
        parent=None,
        onnx_sha256=sha256(path),
        parity=Parity(0.0, 0, "its definition"),
        versions={"onnx": onnx.__version__},
    ).write(path)
    return path


def write_nearest_engine(engine: Path, onnx: Path) -> None:
    """Write the engine of such a network, at scale 4 and tiles of 8, for the simulated GPU."""
    engine.write_bytes(b"plan")
    replace(
        an_engine_manifest(),
        network="nearest",
        tile=8,
        batch=2,
        inputs={"lr": (2, 3, 8, 8)},
        outputs={"hr": (2, 3, 32, 32)},
        onnx_sha256=OnnxManifest.read(onnx).onnx_sha256,
        engine_sha256=sha256(engine),
        verification=None,
    ).write(engine)


@pytest.fixture(scope="session")
def make_nearest(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return `write_nearest` into a folder of its own: (scale=4, **options) -> path."""

    def make(scale: int = 4, **options: Any) -> Path:
        path = tmp_path_factory.mktemp("nearest") / f"nearest_x{scale}.onnx"
        return write_nearest(path, scale, **options)

    return make
