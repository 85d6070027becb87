"""`edgesr export` as users run it: files, manifest, checks, and one clear line for bad input."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from edgesr.artifacts.home import exports
from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.cli import main
from edgesr.errors import ConfigError, EdgesrError, ExportError, ModelError, WeightsError
from edgesr.export.exporter import ExportRequest, export
from edgesr.export.parity import run_tiles
from edgesr.files import sha256
from edgesr.imaging.patches import real_tiles
from edgesr.models import all_networks, get_network
from edgesr.models.checkpoint import load_network, save_weights
from edgesr.models.local_norm import Locality

SMALL = "mambalitesr:D8-G1-B2-N4-SKIP"
TILE = 16
EVERY = "TURN-C3-SEP-GATE"
pytestmark = pytest.mark.usefixtures("shared_traces")


def _request(weights: Path, output: Path, **changes: object) -> ExportRequest:
    return ExportRequest(SMALL, weights, tile=TILE, output=output, **changes)


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory, small_weights: Path, shared_traces: None
) -> Path:
    path = tmp_path_factory.mktemp("exported") / "small.onnx"
    export(_request(small_weights, path))
    return path


@pytest.mark.parametrize("batch", [None, 2])
def test_the_file_computes_the_network(
    tmp_path: Path, small_weights: Path, exported: Path, batch: int | None
) -> None:
    path = exported
    if batch is not None:
        path = tmp_path / "small.onnx"
        export(_request(small_weights, path, batch=batch))
    manifest = OnnxManifest.read(path)
    assert manifest.batch == batch
    assert manifest.parent is not None
    assert manifest.parent.sha256 == sha256(small_weights)
    assert manifest.parity.max_abs_difference <= 1e-4
    assert manifest.scan_form == "compact"
    tiles = real_tiles(TILE)
    network = load_network(SMALL, 4, small_weights)
    with torch.inference_mode():
        expected = network(torch.from_numpy(tiles)).numpy()
    (got,) = run_tiles(onnx.load(path), [tiles], batch)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def _drawn(name: str, weights: Path) -> torch.nn.Module:
    """Return a network whose weights, the same every time, are saved there."""
    torch.manual_seed(2)
    network = get_network(name).module(4).eval()
    for part in network.modules():
        if isinstance(part, Locality):  # which begins at zero
            torch.nn.init.normal_(part.weight)
    save_weights(weights, network, name, {})
    return network


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(
    "added",
    [
        *(pytest.param(added, marks=pytest.mark.long) for added in ("TURN", "C3", "SEP", "GATE")),
        EVERY,
    ],
)
def test_hyper_parameters_are_in_the_file(tmp_path: Path, added: str, precision: str) -> None:
    name = f"mambalitesr:D8-G2-B2-N1-SKIP-{added}"
    weights, path = tmp_path / "weights.safetensors", tmp_path / "model.onnx"
    network = _drawn(name, weights)
    manifest = export(ExportRequest(name, weights, precision, TILE, output=path))
    assert manifest.network == name
    tiles = real_tiles(TILE)
    with torch.inference_mode():
        expected = network(torch.from_numpy(tiles)).numpy()
    (got,) = run_tiles(onnx.load(path), [tiles], None)
    limit = 1e-4 if precision == "fp32" else 1e-2
    np.testing.assert_allclose(got, expected, rtol=0, atol=limit)
    mixers = [node for node in onnx.load(path).graph.node if node.domain == "edgesr"]
    found = [
        tuple(a.i for name in ("columns", "reverse") for a in node.attribute if a.name == name)
        for node in mixers
    ]
    turns = [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert found == (turns if "TURN" in added else [(0, 0)] * 4)


def test_the_file_names_no_path_of_this_machine(exported: Path) -> None:
    assert str(Path.cwd()).encode() not in exported.read_bytes()
    assert b"site-packages" not in exported.read_bytes()


@pytest.mark.long
def test_errors_do_not_add_up_along_a_long_scan(tmp_path: Path) -> None:
    manifest = export(ExportRequest("student", tile=128, output=tmp_path / "student.onnx"))
    assert manifest.parity.max_abs_difference <= 1e-5  # 16,384 steps; 7.6e-5 as for tiles of 64


def test_fp16_is_typed_and_close(tmp_path: Path, small_weights: Path) -> None:
    path = tmp_path / "small_fp16.onnx"
    manifest = export(_request(small_weights, path, precision="fp16"))
    assert manifest.fp32_islands == ("LayerNormalization", "MambaMixer")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)  # types agree at every node
    kinds = {
        value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)
    }
    assert kinds == {onnx.TensorProto.FLOAT}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert {types[node.input[1]] for node in convolutions} == {onnx.TensorProto.FLOAT16}


def test_mixers_that_are_alike_share_one_function(tmp_path: Path, small_weights: Path) -> None:
    path = tmp_path / "shared.onnx"
    assert export(_request(small_weights, path)).scan_form == "compact"
    model = onnx.load(path)
    mixers = [node for node in model.graph.node if node.domain == "edgesr"]
    (function,) = model.functions
    assert [node.op_type for node in mixers] == [function.name] * 2


def test_functions_of_a_file_are_told_apart_by_name(tmp_path: Path) -> None:
    path = tmp_path / "turns.onnx"
    name, weights = f"mambalitesr:D8-G2-B2-N1-SKIP-{EVERY}", tmp_path / "turns.safetensors"
    _drawn(name, weights)  # one that was traced above
    export(ExportRequest(name, weights, tile=TILE, output=path))
    model = onnx.load(path)
    mixers = [node for node in model.graph.node if node.domain == "edgesr"]
    assert [node.op_type for node in mixers] == [function.name for function in model.functions]
    assert len({node.op_type for node in mixers}) == 4


@pytest.mark.parametrize(
    ("name", "precision"),
    [  # tests/cli/test_chain.py takes the first two through the command
        pytest.param("bicubic", "fp32", marks=pytest.mark.long),
        pytest.param("fsrcnn", "fp32", marks=pytest.mark.long),
        ("esr", "fp16"),
    ],
)
def test_convolutional_networks_take_the_same_path(
    tmp_path: Path, name: str, precision: str
) -> None:
    torch.manual_seed(1)
    network = get_network(name).module(4)
    weights = None
    if network.state_dict():
        weights = tmp_path / "weights.safetensors"
        save_weights(weights, network, name, {})
    request = ExportRequest(name, weights, precision, TILE, output=tmp_path / "model.onnx")
    manifest = export(request)
    assert manifest.scan_form is None
    assert (manifest.parent is None) == (weights is None)


def test_every_network_has_a_default_file_of_its_own() -> None:
    names = [network.name for network in all_networks()]
    paths = {ExportRequest(name, precision=p).path for name in names for p in ("fp32", "fp16")}
    assert len(paths) == 2 * len(names)
    assert ExportRequest("student", precision="fp16").path == exports() / "student_x4_fp16.onnx"
    assert ":" not in ExportRequest(SMALL).path.name


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"network": "studnet"}, ConfigError, "student"),
        ({"scale": 7}, ConfigError, "scales"),
        ({"tile": 4}, ConfigError, "too small"),
        ({"batch": 0}, ConfigError, "batch"),
        ({"precision": "int3"}, ConfigError, "fp32, fp16, int8"),
        ({"network": "espcn"}, WeightsError, "not of espcn"),
        ({"weights": Path("absent.safetensors")}, WeightsError, "cannot be read"),
        ({"output": Path("no/such/folder/model.onnx")}, ConfigError, "mkdir"),
        ({"output": Path("model.engine")}, ConfigError, "onnx"),
        ({"network": "esr-tm", "weights": None}, ModelError, "no safetensors"),
    ],
)
def test_bad_input_is_one_clear_error(
    tmp_path: Path,
    small_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    error: type[EdgesrError],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    fields = {"network": SMALL, "weights": small_weights, "tile": TILE, "output": Path("a.onnx")}
    with pytest.raises(error, match=message):
        export(ExportRequest(**{**fields, **changes}))
    assert list(tmp_path.iterdir()) == []


def test_no_folder_is_made_of_what_is_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGESR_HOME", str(tmp_path / "home"))
    with pytest.raises(ConfigError, match="no network is called"):
        export(ExportRequest("photos/cat.png"))
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_keeps_the_file_that_was_there(
    tmp_path: Path, small_weights: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "small.onnx"
    for file in (exported, OnnxManifest.path_for(exported)):
        shutil.copy(file, tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr("edgesr.export.parity.MAX_DIFFERENCE_FP32", 0.0)
    with pytest.raises(ExportError, match="differs from torch"):
        export(_request(small_weights, path))
    assert path.read_bytes() == before
    assert OnnxManifest.read(path).network == SMALL
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.json", "small.onnx"]


def test_a_foreign_json_beside_the_output_is_not_replaced(
    tmp_path: Path, small_weights: Path
) -> None:
    notes = tmp_path / "small.json"
    notes.write_text('{"mine": true}')
    with pytest.raises(ConfigError, match="no manifest"):
        export(_request(small_weights, tmp_path / "small.onnx"))
    assert notes.read_text() == '{"mine": true}'


def test_the_command(
    tmp_path: Path, small_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.onnx"
    options = ["--model", SMALL, "--weights", str(small_weights), "--tile", str(TILE)]
    with pytest.raises(SystemExit) as done:
        main(["export", *options, "--batch", "1", "-o", str(path), "--json"])
    assert done.value.code == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["file"] == str(path)
    assert printed["batch"] == 1
    for batch in ("many", "0"):
        with pytest.raises(SystemExit) as failed:
            main(["export", *options, "--batch", batch, "-o", str(path)])
        assert failed.value.code == 1
        assert "--batch" in capsys.readouterr().err
