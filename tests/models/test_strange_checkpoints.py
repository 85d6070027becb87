"""Checkpoints whose tensors are no weights, or whose names ask for more memory than there is."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peak_memory import PEAK_KIB
from safetensors.torch import save_file
from torch import Tensor

from edgesr.errors import ConfigError, EdgesrError, WeightsError
from edgesr.models.checkpoint import load_network, load_state
from edgesr.models.registry import MAX_SIZE, get_network

KINDS: dict[str, Callable[[Tensor], Tensor]] = {
    "float8_e4m3fn": lambda w: w.to(torch.float8_e4m3fn),
    "float8_e5m2": lambda w: w.to(torch.float8_e5m2),
    "int8": lambda w: w.to(torch.int8),
    "int64": lambda w: w.to(torch.int64),
    "bool": lambda w: w > 0,
    "complex64": lambda w: w.to(torch.complex64),
    "sparse": lambda w: w.to_sparse(),
    "without values": lambda w: w.to("meta"),
    "quantised": lambda w: torch.quantize_per_tensor(w, 0.1, 0, torch.qint8),
}


def state() -> dict[str, Tensor]:
    return dict(get_network("esr-fast").module(4).state_dict())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_plain_array_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates its quantised tensors
        torch.save({key: KINDS[kind](value) for key, value in state().items()}, path)
    with pytest.raises(WeightsError) as caught:
        load_network("esr-fast", 4, path)
    assert len(str(caught.value).splitlines()) <= 2


def test_float8_in_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({key: value.to(torch.float8_e4m3fn) for key, value in state().items()}, path)
    with pytest.raises(WeightsError, match="is float8_e4m3fn; weights must be float32"):
        load_network("esr-fast", 4, path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_plain_floats_are_weights(kind: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({key: value.to(kind) for key, value in state().items()}, path)
    assert all(v.dtype == torch.float32 for v in load_network("esr-fast", 4, path).parameters())


def test_a_tensor_that_is_larger_than_its_file(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"w": torch.zeros(1).expand(1 << 20, 1 << 20)}, path)
    with pytest.raises(WeightsError, match="more than"):
        load_state(path)


@pytest.mark.parametrize(
    "name",
    ["mambalitesr:D999999", "mambalitesr:G4096-B4096", "espcn:D64-S" + "9" * 5000, "fsrcnn:D-1"],
)
def test_a_name_that_is_too_large(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        get_network(name)
    assert len(str(caught.value)) < 6000


def test_a_name_in_a_file_takes_no_memory_before_the_shapes_are_compared(tmp_path: Path) -> None:
    """The largest network that has a name, in a process that may have 3 GB: it needs far more."""
    path = tmp_path / "w.safetensors"
    name = f"mambalitesr:D{MAX_SIZE}-G8-B8"
    save_file({"w": torch.zeros(1)}, path, {"network": name, "scale": "4"})
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from edgesr.errors import WeightsError\n"
        "from edgesr.models.checkpoint import load_network\n"
        "try:\n    load_network(sys.argv[1], 4, Path(sys.argv[2]))\n"
        "except WeightsError as error:\n    print(error.what)\n"
        f"print({PEAK_KIB})\n"
    )
    command = [sys.executable, "-c", code, name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    what, peak_kib = done.stdout.splitlines()
    assert what.startswith(f"does not fit {name} x4: missing")
    assert int(peak_kib) < 1 << 20


def test_a_scale_in_a_file_that_is_none(tmp_path: Path) -> None:
    from edgesr.train.config import TrainConfig
    from edgesr.train.prepare import build_network

    path = tmp_path / "w.safetensors"
    save_file(state(), path, {"network": "esr-fast", "scale": "many"})
    config = TrainConfig(
        data=tmp_path, out=tmp_path / "run", model="esr-fast", weights=path, steps=1
    )
    with pytest.raises(EdgesrError, match="says that it is for scale 'many'"):
        build_network(config, torch.device("cpu"))
