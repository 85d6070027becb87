"""INT8 graphs: what is quantised and how, how far they are from FP32, and what the command says."""

import json
import os
import shlex
import tempfile
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, numpy_helper
from random_weights import save_random_weights

from edgesr.artifacts.onnx_manifest import OnnxManifest
from edgesr.cli import main
from edgesr.errors import ConfigError, ExportError
from edgesr.export.allowed_qdq import DEQUANTIZE, QUANTIZE
from edgesr.export.exporter import ExportRequest, export
from edgesr.export.parity import run_tiles
from edgesr.imaging.patches import hard_tiles, real_tiles
from edgesr.imaging.psnr import psnr_db
from edgesr.weights import shipped

WIDE = "mambalitesr:D16-G1-B1-N2-SKIP"
TILE = 16
MAX_LOSS_DB = 0.1
SETS = ("Set5", "Set14")
pytestmark = pytest.mark.usefixtures("shared_traces")


@pytest.fixture(scope="module")
def wide_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of a network just wide enough for int8."""
    return save_random_weights(tmp_path_factory.mktemp("weights") / "wide_x4.safetensors", WIDE)


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory, wide_weights: Path, shared_traces: None
) -> Path:
    path = tmp_path_factory.mktemp("int8") / "wide_int8.onnx"
    export(ExportRequest(WIDE, wide_weights, "int8", TILE, output=path))
    return path


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory, shared_traces: None) -> Path:
    path = tmp_path_factory.mktemp("int8") / "student_int8.onnx"
    export(ExportRequest("student", precision="int8", output=path))
    return path


def _makers(model: onnx.ModelProto) -> dict[str, NodeProto]:
    return {output: node for node in model.graph.node for output in node.output}


def test_what_is_inside_and_wide_is_quantised_and_nothing_else(exported: Path) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    makers = _makers(model)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    quantised, kept = [], []
    for node in model.graph.node:
        if node.op_type not in ("Conv", "MatMul"):
            continue
        weights = makers.get(node.input[1])
        if weights is not None and weights.op_type == DEQUANTIZE:
            assert makers[node.input[0]].op_type == DEQUANTIZE
            assert constants[weights.input[0]].data_type == TensorProto.INT8
            quantised.append(tuple(constants[weights.input[0]].dims))
        elif node.input[1] in constants:
            kept.append(tuple(constants[node.input[1]].dims))
    # in_proj, out_proj, the group's convolution and the one after the body
    assert quantised == [(16, 64), (32, 16), (16, 16, 3, 3), (16, 16, 3, 3)]
    # the first convolution and the last one
    assert kept == [(16, 3, 3, 3), (48, 16, 3, 3)]
    manifest = OnnxManifest.read(exported)
    assert manifest.precision == "int8"
    assert manifest.opset == 19
    assert manifest.fp32_islands == ("LayerNormalization", "MambaMixer")
    assert manifest.quantization is not None
    assert len(manifest.quantization.nodes) == len(quantised)


def test_scales_are_symmetric_and_cover_what_was_met(exported: Path) -> None:
    model = onnx.load(exported)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type in (QUANTIZE, DEQUANTIZE):
            scale, zero = (constants[name] for name in node.input[1:])
            assert scale.dtype == np.float16
            assert zero.dtype == np.int8 and not zero.any()
            by_channel = node.op_type == DEQUANTIZE and node.input[0] in constants
            if by_channel:
                weights = constants[node.input[0]]
                axis = node.attribute[0].i
                assert scale.shape == (weights.shape[axis],)
                peaks = np.abs(weights.astype(int)).max(tuple({*range(weights.ndim)} - {axis}))
                assert (peaks == 127).all()  # every channel uses its whole range
            else:
                assert scale.size == 1


@pytest.mark.parametrize("batch", [None, 2])
def test_it_computes_the_network_at_any_batch(
    tmp_path: Path, wide_weights: Path, exported: Path, batch: int | None
) -> None:
    path = exported
    if batch is not None:
        path = tmp_path / "wide.onnx"
        export(ExportRequest(WIDE, wide_weights, "int8", TILE, batch, output=path))
    exact = tmp_path / "exact.onnx"
    export(ExportRequest(WIDE, wide_weights, "fp32", TILE, output=exact))
    tiles = real_tiles(TILE)
    (a,), (b,) = run_tiles(onnx.load(path), [tiles], batch), run_tiles(onnx.load(exact), [tiles], 1)
    found_db = psnr_db(float(((a - b) ** 2).mean()))
    parity = OnnxManifest.read(path).parity
    assert parity.psnr_db == pytest.approx(found_db, abs=0.1)
    assert 40 <= found_db < 100  # it is quantised, after all


def test_a_graph_that_int8_spoils_is_not_written(
    tmp_path: Path, wide_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("edgesr.export.parity").export.parity.MIN_PSNR_DB, "int8", 99.0)
    with pytest.raises(ExportError, match=r"int8 graph is .* less than 99 dB") as error:
        export(ExportRequest(WIDE, wide_weights, "int8", TILE, output=tmp_path / "a.onnx"))
    assert error.value.fix == f"edgesr export -m {shlex.quote(WIDE)} -s 4 --precision fp16"
    assert list(tmp_path.iterdir()) == []


def test_a_kill_leaves_only_temporary_folders_that_the_next_run_removes(
    tmp_path: Path, wide_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of edgesr.files: the quantiser's own ones would stay for good."""
    make, made = tempfile.mkdtemp, []

    def mkdtemp(*arguments: str, **named: str) -> str:
        made.append(Path(make(*arguments, **named)))
        return str(made[-1])

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    path = tmp_path / "a.onnx"
    export(ExportRequest(WIDE, wide_weights, "int8", TILE, output=path))
    assert made
    assert all(folder.name.startswith(".folder.edgesr-") for folder in made)
    assert not any(folder.exists() for folder in made)
    assert not onnx.load(path).metadata_props  # how that is done is no part of the file


def test_a_network_too_narrow_for_int8_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="nothing in bicubic is worth int8"):
        export(ExportRequest("bicubic", None, "int8", TILE, output=tmp_path / "bicubic.onnx"))


def test_calibration_needs_int8() -> None:
    with pytest.raises(ConfigError, match="fp16 has no ranges") as error:
        ExportRequest("student", precision="fp16", calibrate=Path("photos"))
    assert error.value.as_options().fix == "--precision int8"


@pytest.mark.long  # every export compares its file with FP32; a narrow network's is above
def test_the_student_is_close_on_real_tiles_and_on_hard_ones(student: Path) -> None:
    parity = OnnxManifest.read(student).parity
    assert parity.psnr_db is not None and parity.psnr_db >= 45
    exact = onnx.load(str(shipped("student", 4, "onnx")))
    stacks = list(hard_tiles(64).values())
    found, expected = (run_tiles(model, stacks, None) for model in (onnx.load(student), exact))
    for name, a, b in zip(hard_tiles(64), found, expected, strict=True):
        assert psnr_db(float(((a - b) ** 2).mean())) >= 35, name


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return int(done.value.code or 0), captured.out, captured.err


@pytest.mark.long
def test_the_student_loses_next_to_nothing_on_benchmark_sets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = os.environ.get("EDGESR_DATA")
    if root is None:
        pytest.skip("EDGESR_DATA names no folder with Set5 and Set14")
    path = tmp_path / "student.onnx"
    sets = [option for name in SETS for option in ("--data", f"{root}/{name}")]
    code, out, err = _run(["export", "--precision", "int8", "-o", str(path), *sets], capsys)
    assert code == 0, err
    losses = OnnxManifest.read(path).psnr_loss
    assert [loss.dataset for loss in losses] == list(SETS)
    for loss in losses:
        assert f"{loss.dataset}: {loss.psnr_y_db:.3f} dB" in out
        assert loss.fp32_psnr_y_db > 27
        assert loss.loss_db == pytest.approx(loss.fp32_psnr_y_db - loss.psnr_y_db, abs=2e-4)
        assert loss.loss_db <= MAX_LOSS_DB


@pytest.fixture
def folders(tmp_path: Path, data: Path) -> dict[str, Path]:
    """A folder of photos, a benchmark set, and a folder without any picture."""
    photo = cv2.imread(str(data / "photo.png"))
    made = {name: tmp_path / name for name in ("photos", "Set1", "empty")}
    for folder in (made["photos"], made["Set1"] / "HR", made["empty"]):
        folder.mkdir(parents=True)
        if folder.name != "empty":
            cv2.imwrite(str(folder / "one.png"), photo[:64, :64])
    return made


def test_the_command_says_what_was_calibrated_and_what_is_lost(
    tmp_path: Path,
    wide_weights: Path,
    folders: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["export", "--model", WIDE, "--weights", str(wide_weights), "--tile", str(TILE)]
    options += ["--precision", "int8", "-o", str(tmp_path / "a.onnx")]
    options += ["--calibrate", str(folders["photos"]), "--data", str(folders["Set1"])]
    code, out, err = _run(options, capsys)
    assert (code, err) == (0, "")
    assert (
        "in int8: 4 convolutions and projections, calibrated on 12 bundled tiles, 7 of them" in out
    )
    assert "of 1 photos in photos" in out
    assert "Set1: " in out
    assert "dB lost on 1 pictures" in out
    code, out, _ = _run([*options, "--json"], capsys)
    document = json.loads(out)
    assert document["quantization"]["tiles"] == 12 + 16
    assert document["psnr_loss"][0]["dataset"] == "Set1"


@pytest.mark.parametrize(
    ("precision", "option", "folder", "message"),
    [
        ("int8", "--calibrate", "nowhere", "nowhere: is no folder\n  try: --calibrate FOLDER"),
        ("int8", "--calibrate", "empty", "holds no picture"),
        ("fp32", "--calibrate", "photos", "fp32 has no ranges"),
        ("int8", "--data", "nowhere", "nowhere: no such folder"),
        ("int8", "--data", "empty", "neither a set nor a folder of sets"),
        ("fp32", "--data", "Set1", "fp32 loses nothing"),
    ],
)
def test_a_wrong_folder_is_one_clear_error(
    tmp_path: Path,
    folders: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    precision: str,
    option: str,
    folder: str,
    message: str,
) -> None:
    path = tmp_path / "out.onnx"
    given = str(folders.get(folder, tmp_path / folder))
    code, out, err = _run(
        ["export", "--precision", precision, "-o", str(path), option, given], capsys
    )
    assert (code, out) == (1, "")
    assert message in err
    assert not list(tmp_path.glob("*out*"))
