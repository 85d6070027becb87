"""What an installed TensorRT can do is asked of it; these modules differ as the releases do."""

import sys
from types import SimpleNamespace

import pytest

from edgesr.engine.stack import Messages, Typing, find_stack, typing_of
from edgesr.errors import EngineError, MissingError


def module(builder_flags, network_flags):
    """A module with the flags of a release, under other numbers in each."""
    return SimpleNamespace(
        __name__="tensorrt",
        __version__="x",
        BuilderFlag=SimpleNamespace(**{name: i for i, name in enumerate(builder_flags)}),
        NetworkDefinitionCreationFlag=SimpleNamespace(
            **{name: i for i, name in enumerate(network_flags)}
        ),
    )


@pytest.mark.parametrize(
    ("builder_flags", "network_flags", "expected"),
    [
        (["FP16", "TF32"], ["EXPLICIT_BATCH"], Typing.WEAK),  # 8.6
        (["FP16", "TF32"], ["EXPLICIT_BATCH", "STRONGLY_TYPED"], Typing.STRONG_BY_FLAG),  # 10.x
        (["TF32"], ["STRONGLY_TYPED"], Typing.STRONG_ALWAYS),  # 11, for RTX
    ],
)
def test_typing_follows_from_what_the_module_has(builder_flags, network_flags, expected):
    assert typing_of(module(builder_flags, network_flags)) is expected


def test_neither_way_to_fp16_is_refused():
    with pytest.raises(EngineError, match="neither strong typing nor an FP16 flag"):
        typing_of(module(["TF32"], ["EXPLICIT_BATCH"]))


def test_no_tensorrt_says_how_to_install_the_preferred_one():
    with pytest.raises(MissingError, match="no_such_trt") as error:
        find_stack(["tensorrt", "no_such_trt"])
    assert "apt install" in error.value.fix


def test_a_broken_install_is_told_from_a_missing_one(tmp_path, monkeypatch):
    (tmp_path / "tensorrt.py").write_text("raise OSError('libnvinfer.so.10: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    with pytest.raises(MissingError, match=r"libnvinfer\.so\.10"):
        find_stack(["tensorrt"])


def test_nothing_but_tensorrt_is_imported(tmp_path, monkeypatch):
    (tmp_path / "stranger.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingError, match="stranger: no module of TensorRT"):
        find_stack(["stranger"])


def test_tensorrt_for_rtx_is_strongly_typed():
    pytest.importorskip("tensorrt_rtx")
    stack = find_stack(["no_such_trt", "tensorrt_rtx"])
    assert stack.typing is Typing.STRONG_ALWAYS
    logger, messages = stack.logger()
    network = stack.empty_network(stack.builder(logger, messages))
    assert network.get_flag(stack.module.NetworkDefinitionCreationFlag.STRONGLY_TYPED)


def test_a_failed_build_is_told_by_the_error_that_caused_the_others():
    """TensorRT 8.5 logs the node that no kernel takes first, and an assertion of its own last."""
    cause = "10: [optimizer.cpp::computeCosts::3728] Error Code 10: Internal Error (No tactic)"
    messages = Messages([f"{cause}\nmore", "2: [builder.cpp::buildSerializedNetwork::751]"])
    assert messages.first_error() == cause
    assert messages.last_error().startswith("2: ")
    assert Messages().first_error() == "TensorRT gave no reason"
