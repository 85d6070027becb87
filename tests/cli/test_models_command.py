import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgesr import weights
from edgesr.artifacts.onnx_manifest import OnnxManifest, Parity
from edgesr.cli import app
from edgesr.errors import ConfigError
from edgesr.files import sha256

WITHOUT_TORCH = """
import sys
from pathlib import Path
sys.modules["torch"] = None  # `import torch` then fails as it does where it is not installed
from edgesr import weights
weights.FOLDER = Path(sys.argv.pop(1))
from edgesr.cli import main
main(sys.argv[1:])
"""


def ship(folder: Path, name: str, scale: int) -> None:
    """Put a file and its manifest where the package keeps its weights."""
    onnx = folder / f"{name}_x{scale}.onnx"
    onnx.write_bytes(b"graph")
    OnnxManifest(
        network=name,
        scale=scale,
        precision="fp32",
        tile=64,
        batch=None,
        scan_form=None,
        fp32_islands=(),
        opset=18,
        parameters=24_752,
        multiply_adds_per_tile=102_218_752,
        parent=None,
        onnx_sha256=sha256(onnx),
        parity=Parity(max_abs_difference=0.0, patches=1, against="torch float32"),
        versions={},
    ).write(onnx)


def without_torch(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", WITHOUT_TORCH, str(folder), "models", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_table_names_every_network() -> None:
    pytest.importorskip("torch")
    result = CliRunner().invoke(app, ["models"])
    assert result.exit_code == 0
    for expected in ("student", "424,428", "141,008", "24,752", "102.2 M / 64x64", "9x9 pixels"):
        assert expected in result.stdout


def test_json_is_one_document_with_sizes_of_the_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    ship(tmp_path, "espcn", 2)
    result = CliRunner().invoke(
        app, ["models", "-m", "espcn", "-m", "esr-max:K7-C2", "-s", "2", "--json"]
    )
    document = json.loads(result.stdout)
    espcn, esr = document["networks"]
    assert document["missing"] is None
    assert espcn["parameters"] == 24_752 - 12 * (32 * 9 + 1)  # 4 instead of 16 phases
    assert (espcn["shipped"], espcn["scales"], espcn["tile"]) == ([2], [2, 3, 4], 64)
    assert (esr["name"], esr["parameters"], esr["shipped"]) == ("esr-max:K7-C2", 4 * 2 * 49, [])


@pytest.mark.parametrize(
    "arguments", [["-s", "7"], ["-m", "espcn", "-s", "7"], ["-m", "no-such-network"]]
)
def test_what_does_not_exist_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["models", *arguments])
    assert isinstance(result.exception, ConfigError)


def test_without_torch_the_shipped_ones_are_listed(tmp_path: Path) -> None:
    ship(tmp_path, "espcn", 4)
    ship(tmp_path, "espcn", 2)

    table = without_torch(tmp_path)
    assert table.returncode == 0, table.stderr
    assert "24,752" in table.stdout
    assert "x2,4" in table.stdout
    assert "pip install 'edgesr[train]'" in table.stdout

    document = json.loads(without_torch(tmp_path, "--json").stdout)
    assert [row["multiply_adds"] for row in document["networks"]] == [102_218_752]
    assert "torch" in document["missing"]

    refused = without_torch(tmp_path, "-m", "student")
    assert refused.returncode == 1
    assert "student is not shipped at scale 4" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("scale", ["3", "7"])
def test_without_torch_a_scale_that_is_not_shipped_is_refused(tmp_path: Path, scale: str) -> None:
    ship(tmp_path, "espcn", 4)
    ship(tmp_path, "espcn", 2)
    refused = without_torch(tmp_path, "-s", scale)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"error: --scale: no network is shipped at {scale}; other networks need torch\n"
        "  try: --scale 4\n"
    )
