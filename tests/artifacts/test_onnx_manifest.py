"""The manifest beside an ONNX file is written whole, read back, and never trusted blindly."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgesr.artifacts.onnx_manifest import OnnxManifest, Parent, Parity
from edgesr.errors import ModelError
from edgesr.files import sha256


def _write(folder: Path) -> tuple[Path, OnnxManifest]:
    onnx = folder / "student_x4.onnx"
    onnx.write_bytes(b"a graph")
    manifest = OnnxManifest(
        network="student",
        scale=4,
        precision="fp16",
        tile=64,
        batch=None,
        scan_form="loop",
        fp32_islands=("scan", "LayerNormalization"),
        opset=17,
        parameters=141_008,
        multiply_adds_per_tile=7 * 10**8,
        parent=Parent("student_x4.safetensors", "0" * 64),
        onnx_sha256=sha256(onnx),
        parity=Parity(3e-6, 4, "torch float32"),
        versions={"torch": "2.13.0"},
    )
    manifest.write(onnx)
    return onnx, manifest


def test_round_trip(tmp_path: Path) -> None:
    onnx, manifest = _write(tmp_path)
    assert OnnxManifest.path_for(onnx) == tmp_path / "student_x4.json"
    assert OnnxManifest.read(onnx) == manifest
    parentless = replace(manifest, parent=None, batch=4)
    parentless.write(onnx)
    assert OnnxManifest.read(onnx) == parentless


def test_a_changed_graph_is_refused(tmp_path: Path) -> None:
    onnx, _ = _write(tmp_path)
    onnx.write_bytes(b"another graph")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        OnnxManifest.read(onnx)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "edgesr-onnx/99"}, "not of format edgesr-onnx/1"),
        ({"tile": 0}, r">= 1.*\$\.tile"),
        ({"scale": "4"}, r"Expected `int`, got `str`.*\$\.scale"),
        ({"colour_order": "BGR"}, "BGR"),
        ({"parity": {}}, r"missing required field `max_abs_difference`.*\$\.parity"),
        ({"unheard_of": 1}, "unknown field `unheard_of`"),
    ],
)
def test_a_wrong_field_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    onnx, _ = _write(tmp_path)
    path = OnnxManifest.path_for(onnx)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=message):
        OnnxManifest.read(onnx)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    onnx, _ = _write(tmp_path)
    OnnxManifest.path_for(onnx).write_text(text)
    with pytest.raises(ModelError, match="manifest"):
        OnnxManifest.read(onnx)


def test_missing_files_say_what_to_type(tmp_path: Path) -> None:
    onnx, _ = _write(tmp_path)
    OnnxManifest.path_for(onnx).unlink()
    with pytest.raises(ModelError, match=r"only ONNX files that `edgesr export` wrote"):
        OnnxManifest.read(onnx)
    with pytest.raises(ModelError, match="no such ONNX file") as missing:
        OnnxManifest.read(tmp_path / "none.onnx")
    assert missing.value.fix == f"edgesr export -m NETWORK -o {tmp_path / 'none.onnx'}"


@pytest.mark.parametrize("beside", [None, "{}", "changed"])
def test_no_advice_writes_over_a_file_that_may_be_another_programs(
    beside: str | None, tmp_path: Path
) -> None:
    """What is known of the network is in the command; where it goes is up to `edgesr export`."""
    onnx, _ = _write(tmp_path)
    if beside == "changed":
        onnx.write_bytes(b"of another program")
    elif beside is None:
        OnnxManifest.path_for(onnx).unlink()
    else:
        OnnxManifest.path_for(onnx).write_text(beside)
    with pytest.raises(ModelError) as refused:
        OnnxManifest.read(onnx)
    advice = refused.value.advice
    assert advice is not None
    assert " -o " not in advice
    network = "student -s 4 --precision fp16" if beside == "changed" else "NETWORK"
    assert f"edgesr export -m {network}" in advice
    assert ("docs/manifests.md" in advice) == (beside is None)
