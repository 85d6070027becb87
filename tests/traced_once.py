"""Each network is traced once in a run of the tests, whichever of its processes asks first.

Torch takes half a minute to trace a student, and gives the same graph every time. What a test
exports again, to look at another part of the file, it takes from a folder that the processes of a
run share. The key is all that decides the graph: modules with their settings, weights, sizes.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from once_a_run import locked, shared_folder


def digest(network: Any, tile: int, batch: int | None) -> str:
    """Return a key of the network as it stands and of the sizes it is traced with."""
    from torch import nn

    usual = {*vars(nn.Module())} - {"training"}
    text = hashlib.sha256(repr((tile, batch)).encode())
    for name, module in network.named_modules():
        own = sorted((key, value) for key, value in vars(module).items() if key not in usual)
        text.update(repr((name, type(module).__qualname__, own)).encode())
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        text.update(repr((name, tensor.dtype, tensor.shape)).encode())
        text.update(tensor.detach().contiguous().numpy().tobytes())
    return text.hexdigest()


def traced_once(trace: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Return a function that does what `edgesr.export.torch_graph.trace` does, once per network."""
    import onnx

    def once(network: Any, tile: int, batch: int | None) -> Any:
        path = folder / f"{digest(network, tile, batch)}.onnx"
        with locked(path.with_suffix(".lock")):
            if not path.exists():
                model = trace(network, tile, batch)
                path.write_bytes(model.SerializeToString())
                return model
        return onnx.load_model_from_string(path.read_bytes())

    return once


@pytest.fixture(scope="session")
def shared_traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let `edgesr.export.exporter` take the traces of a network that was traced before."""
    from edgesr.export import exporter, torch_graph

    folder = shared_folder(tmp_path_factory, "traced")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "trace", traced_once(torch_graph.trace, folder))
        yield
