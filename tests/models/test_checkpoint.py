import io
import os
import pickle
import tempfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from edgesr import weights
from edgesr.errors import ConfigError, ModelError, WeightsError
from edgesr.models import get_network
from edgesr.models.checkpoint import load_metadata, load_network, load_state, save_weights
from edgesr.models.network import SRNetwork

NAME = "esr-max:K3-C2"


@pytest.fixture
def network() -> SRNetwork:
    torch.manual_seed(3)
    return get_network(NAME).module(4)


def test_what_is_saved_comes_back(network: SRNetwork, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, network, "esr-fast", {"recipe": "L1", "data": "d\udcff"})
    loaded = load_network("esr-fast", 4, path)
    assert not loaded.training
    assert torch.equal(loaded.state_dict()["filter.weight"], network.state_dict()["filter.weight"])
    metadata = load_metadata(path)
    assert (metadata["network"], metadata["scale"], metadata["recipe"]) == ("esr-fast", "4", "L1")
    assert metadata["data"] == "d?"  # a folder whose name is not UTF-8
    assert list(tmp_path.iterdir()) == [path]  # nothing temporary is left


@pytest.mark.parametrize("wrapper", ["params_ema", "params", "state_dict", None])
def test_torch_files_are_unwrapped(wrapper: str | None, network: SRNetwork, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    state = network.state_dict()
    torch.save(state if wrapper is None else {wrapper: state, "epoch": 3}, path)
    assert torch.equal(load_state(path)["filter.weight"], state["filter.weight"])
    assert load_metadata(path) == {}
    load_network(NAME, 4, path)


def test_half_precision_becomes_float32(network: SRNetwork, tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    save_file({k: v.half() for k, v in network.state_dict().items()}, path)
    assert load_network(NAME, 4, path).state_dict()["filter.weight"].dtype == torch.float32


def test_nothing_in_a_pickle_is_run(tmp_path: Path) -> None:
    proof = tmp_path / "ran"

    class Harm:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (proof,))

    for name, save in {"plain.pth": pickle.dump, "torch.pth": torch.save}.items():
        path = tmp_path / name
        with path.open("wb") as file:
            save({"params": Harm()}, file)
        with pytest.raises(WeightsError, match="tensors only"):
            load_state(path)
    assert not proof.exists()


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", b"\x20\0\0\0\0\0\0\0{cut", b"PK\x03\x04 cut", b"\x80\x02"]
)
def test_damaged_files_are_one_clear_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        load_state(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [{}, [torch.ones(1)], {"epoch": 3}, {"params": {}}])
def test_files_without_a_state_dict_are_refused(content: object, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(WeightsError, match="no state dict"):
        load_state(path)


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(WeightsError, match="cannot be read"):
            load_network(NAME, 4, path)


def test_a_misfit_names_the_keys_and_what_would_fit(tmp_path: Path) -> None:
    path = tmp_path / "espcn.pth"
    state = get_network("espcn").module(4).state_dict()
    torch.save(state, path)
    with pytest.raises(WeightsError) as caught:
        load_network("esr-fast", 4, path)
    assert "missing filter.weight" in caught.value.what
    assert "unexpected net.0.weight, net.0.bias, net.2.weight and 3 more" in caught.value.what
    assert caught.value.fix == "the file fits espcn at scale 4"

    with pytest.raises(WeightsError, match=r"misshaped net\.4\.weight \(16, 32, 3, 3\)"):
        load_network("espcn", 2, path)

    torch.save({**state, "extra": torch.ones(1)}, path)
    with pytest.raises(WeightsError, match="unexpected extra") as caught:
        load_network("espcn", 4, path)
    assert caught.value.fix is None


def test_metadata_tells_apart_what_shapes_do_not(tmp_path: Path) -> None:
    path = tmp_path / "skip.safetensors"
    skip = get_network("mambalitesr:D8-G1-B1-N2-SKIP").module(2)
    save_weights(path, skip, "mambalitesr:D8-G1-B1-N2-SKIP", {})
    load_network("mambalitesr:N2-B1-G1-D8-SKIP", 2, path)  # the same, written in another order
    with pytest.raises(WeightsError, match="holds the weights of mambalitesr:D8-G1-B1-N2-SKIP"):
        load_network("mambalitesr:D8-G1-B1-N2", 2, path)
    with pytest.raises(WeightsError, match="x2, not x4"):
        load_network("mambalitesr:D8-G1-B1-N2-SKIP", 4, path)

    save_weights(path, skip, "a name nobody knows", {})
    load_network("mambalitesr:D8-G1-B1-N2", 2, path)  # then the shapes decide


def test_values_that_are_not_finite_are_refused(network: SRNetwork, tmp_path: Path) -> None:
    path = tmp_path / "nan.pth"
    torch.save({"filter.weight": torch.full((32, 1, 3, 3), float("nan"))}, path)
    with pytest.raises(WeightsError, match=r"not finite: filter\.weight"):
        load_network(NAME, 4, path)


@pytest.mark.parametrize("name", [b"w\xff.safetensors", b"w\xff.pth", b"\xe9/w.safetensors"])
def test_a_path_that_is_no_utf8_is_read(
    name: bytes, network: SRNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = Path(os.fsdecode(name))
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".pth":
        path.write_bytes(_torch_bytes(network))
    else:
        save_weights(path, network, NAME, {})
        assert load_metadata(path)["network"] == NAME
    assert load_state(path).keys() == network.state_dict().keys()
    path.write_bytes(b"12345678{")
    with pytest.raises(WeightsError, match=r"damaged|read safely"):
        load_state(path)
    assert list((tmp_path / "temporary").iterdir()) == []


def _torch_bytes(network: SRNetwork) -> bytes:
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    return buffer.getvalue()


def test_saving_refuses_another_suffix_and_keeps_the_old_file(
    network: SRNetwork, tmp_path: Path
) -> None:
    old = tmp_path / "weights.pth"
    old.write_text("mine")
    with pytest.raises(ConfigError, match="safetensors"):
        save_weights(old, network, NAME, {})
    assert old.read_text() == "mine"


def test_the_shipped_file_is_the_default(
    network: SRNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(ModelError, match="ships nothing"):
        load_network("esr-fast", 4, None)
    save_weights(tmp_path / "esr-fast_x4.safetensors", network, "esr-fast", {})
    (tmp_path / "README.md").write_text("not a network")
    assert weights.shipped_names() == [("esr-fast", 4)]
    load_network("esr-fast", 4, None)
    with pytest.raises(ModelError, match=r"'espcn' at scale 2 .*ships esr-fast x4"):
        weights.shipped("espcn", 2, "onnx")


def test_everything_shipped_has_all_three_files() -> None:
    for name, scale in weights.shipped_names():
        for suffix in ("onnx", "safetensors", "json"):
            if suffix == "safetensors" and not get_network(name).module(scale).state_dict():
                continue
            assert weights.shipped(name, scale, suffix).stat().st_size > 0
