"""What can be asked for, and the command line that asks for it."""

import shlex

import pytest

from edgesr.bench.config import BenchConfig, Wanted
from edgesr.errors import ConfigError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("samples", 0),
        ("warmup", -1),
        ("rounds", 0),
        ("batch", 0),
        ("threads", 0),
        ("interval_s", 0.0),
        ("idle_s", float("nan")),
        ("window_s", -1.0),
    ],
)
def test_values_that_cannot_be(field: str, value: float) -> None:
    with pytest.raises(ConfigError) as error:
        BenchConfig(**{field: value})  # type: ignore[arg-type]
    assert error.value.field == field


def test_nothing_to_measure() -> None:
    with pytest.raises(ConfigError, match="nothing to measure"):
        BenchConfig(wanted=())


@pytest.mark.parametrize(
    ("samples", "rounds", "expected"),
    [(1000, 5, (200,) * 5), (10, 3, (4, 3, 3)), (2, 5, (1, 1)), (1, 1, (1,))],
)
def test_every_sample_has_its_round(samples: int, rounds: int, expected: tuple[int, ...]) -> None:
    assert BenchConfig(samples=samples, rounds=rounds).samples_by_round == expected


def test_the_command_line_says_what_differs_from_the_defaults() -> None:
    config = BenchConfig(
        wanted=(Wanted("a b.onnx"), Wanted("engines/x.engine", "tensorrt"), Wanted("student")),
        input="photo.png",
        samples=50,
        interval_s=0.25,
        window_s=3.0,
    )
    assert shlex.split(config.command) == [
        "edgesr", "bench", "--model", "a b.onnx", "--model", "engines/x.engine", "--model",
        "student", "--samples", "50", "--input", "photo.png", "--interval-s", "0.25",
        "--window-s", "3",
    ]  # fmt: skip
    assert BenchConfig().command == "edgesr bench --model student --samples 1000"


def test_only_engines_and_tensorrt_use_the_gpu() -> None:
    assert Wanted("x.engine", "tensorrt").runs_on_gpu
    assert Wanted("student", "tensorrt").runs_on_gpu
    assert not Wanted("student").runs_on_gpu
