"""Checkpoints whose tensors are no weights, or whose names ask for more memory than there is."""

import io
import os
import pickle
import subprocess
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peak_memory import PEAK_KIB
from safetensors.torch import save_file
from torch import Tensor

from edgesr.decode import MalformedError
from edgesr.errors import ConfigError, EdgesrError, WeightsError
from edgesr.models.checkpoint import load_network, load_state
from edgesr.models.registry import MAX_SIZE, get_network
from edgesr.models.torch_file import check_torch_file

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


class _Order:
    """Pickled as a call of `maker`."""

    def __init__(self, maker: object, *arguments: object) -> None:
        self._call = (maker, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self._call


def _archive(pickled: bytes | None = None, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A torch file with another pickle, or with compressed entries: 64 MB of zeros."""
    plain, changed = io.BytesIO(), io.BytesIO()
    torch.save({"w": torch.zeros(1 << 24 if compression else 1)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(changed, "w", compression) as target:
        for name in source.namelist():
            swap = pickled is not None and name.endswith("data.pkl")
            target.writestr(name, pickled if swap else source.read(name))
    return changed.getvalue()


def _ordered(maker: object, *arguments: object) -> bytes:
    return _archive(pickle.dumps({"w": _Order(maker, *arguments)}, 2))


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "compressed": (lambda: _archive(compression=zipfile.ZIP_DEFLATED), "compressed"),
    "bytearray": (lambda: _ordered(bytearray, 3 * 10**9), "names __builtin__ bytearray"),
    "tensor by size": (lambda: _ordered(torch.FloatTensor, 10**9), "names torch FloatTensor"),
    "of another protocol": (
        lambda: _archive(pickle.dumps({"w": _Order(bytearray, 3 * 10**9)}, 4)),
        "uses STACK_GLOBAL",
    ),
    "old, bytearray": (
        lambda: b"".join(pickle.dumps(part, 2) for part in (1, 2, _Order(bytearray, 3 * 10**9))),
        "names __builtin__ bytearray",
    ),
    "long pickle": (lambda: _archive(b"\x80\x02" + b"0" * (5 << 20) + b"."), "larger than 4 MiB"),
    "no pickle": (lambda: b"PK\x03\x04" + bytes(100), "damaged archive"),
    "cut": (lambda: _archive()[:-30], "damaged archive"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_torch_file_takes_little_memory(bomb: str, tmp_path: Path) -> None:
    make, reason = BOMBS[bomb]
    path = tmp_path / "w.pth"
    path.write_bytes(make())
    with pytest.raises(WeightsError, match=reason) as caught:
        load_state(path)
    assert len(str(caught.value).splitlines()) <= 2
    with pytest.raises(MalformedError, match=reason):  # before torch has read a byte
        check_torch_file(path)


def test_ordinary_torch_files_pass(tmp_path: Path) -> None:
    content = {
        "params": state(),
        "half": torch.zeros(2, dtype=torch.bfloat16),
        "whole": torch.nn.Parameter(torch.zeros(2)),
        "size": torch.Size([1]),
        "type": torch.float16,
        "counts": Counter("ab"),
        "random": torch.get_rng_state(),
    }
    for new in (True, False):
        torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=new)
        check_torch_file(tmp_path / "w.pth")
        assert load_state(tmp_path / "w.pth").keys() == state().keys()


def test_a_pipe_as_weights_does_not_hang(tmp_path: Path) -> None:
    for name in ("w.pth", "w.safetensors"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(WeightsError, match="not a regular file"):
            load_network("esr-fast", 4, tmp_path / name)


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
