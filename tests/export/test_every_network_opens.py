"""Whatever the registry can export is within the bounds that files of strangers are held to.

A network of many equal blocks takes minutes to trace, and each block asks for the same again. So by
default one with a single block of its kind stands for it; with EDGESR_WHOLE_NETWORKS=1 each is
exported as it is.
"""

import os
from pathlib import Path

import pytest
import torch
from onnx import ModelProto
from random_weights import save_random_weights
from small_networks import SMALL, TWINS

from edgesr.artifacts.onnx_file import check_content
from edgesr.errors import ExportError
from edgesr.export import exporter
from edgesr.export.exporter import ExportRequest, build_graph, export
from edgesr.models import all_networks, get_network
from edgesr.weights import FOLDER

ONE_BLOCK = {
    "student": "mambalitesr:D32-G1-B2-N1-SKIP-TURN-C3",
    "photo": "mambalitesr:D32-G1-B2-N1-SKIP-TURN-C3",
    "student-paper": "mambalitesr:D32-G1-B1-N16",
    "teacher": "mambalitesr:D60-G1-B2-N1-R30-SKIP-TURN-C3",
    "teacher-paper": "mambalitesr:D60-G1-B1-N16-R30",
    "dvmsr": "mambalitesr:D60-G1-B1-N16",
    **TWINS,
}
NAMES = [network.name for network in all_networks()]
IS_WHOLE = os.environ.get("EDGESR_WHOLE_NETWORKS") == "1"
EXPORTED = sorted({name if IS_WHOLE else ONE_BLOCK.get(name, name) for name in NAMES})


def test_every_network_is_among_them() -> None:
    """A new one with scans needs a line above, as it would take long."""
    assert all(name in ONE_BLOCK or name in SMALL for name in NAMES)
    for name, twin in ONE_BLOCK.items():
        assert get_network(name).summary.split()[0] == get_network(twin).summary.split()[0]


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        *(
            # tests/cli/test_chain.py opens what it exports of these, at a smaller tile; every time
            # but for one of two that are of the same parts.
            pytest.param(name, "fp32", marks=[pytest.mark.long] * (name in SMALL))
            for name in EXPORTED
        ),
        ("esr", "fp16"),
        (ONE_BLOCK["dvmsr"], "fp16"),
    ],
)
def test_it_opens(name: str, precision: str, shared_traces: None) -> None:
    """At the tile that is exported unless another is asked for; fp16 adds casts alone."""
    torch.manual_seed(0)  # both precisions of a network are of one trace
    graph = build_graph(get_network(name).module(4), ExportRequest(name, precision=precision))
    check_content(graph.model.SerializeToString(), Path("m.onnx"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.onnx")), ids=lambda path: path.name)
def test_what_ships_opens(path: Path) -> None:
    check_content(path.read_bytes(), path)


def test_what_would_not_open_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network of one's own may use what a board can run and no command here opens."""
    weights = save_random_weights(tmp_path / "w.safetensors", "esr-fast")
    finish = exporter.build_graph

    def with_average(*arguments: object) -> exporter.FinishedGraph:
        graph = finish(*arguments)  # type: ignore[arg-type]
        return exporter.FinishedGraph(_averaged(graph.model), graph.form, graph.islands)

    monkeypatch.setattr(exporter, "build_graph", with_average)
    with pytest.raises(ExportError, match="no command would open it: it holds the operator 'Av"):
        export(ExportRequest("esr-fast", weights, tile=16, output=tmp_path / "m.onnx"))
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def _averaged(model: ModelProto) -> ModelProto:
    """Return a model whose result goes through an average of single pixels, which changes none."""
    last = model.graph.node[-1]
    name, last.output[0] = last.output[0], "before"
    node = model.graph.node.add(op_type="AveragePool", input=["before"], output=[name])
    node.attribute.add(name="kernel_shape", type=7, ints=[1, 1])
    return model
