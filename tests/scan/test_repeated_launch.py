"""The call that repeats a launch of Triton, against the Triton that is installed."""

import configparser
import inspect
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from edgesr.scan.fused_ready import RELEASES, can_repeat, installed_release

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("release", "known"),
    [("3.5.1", False), ("3.6.0", True), ("3.9.0", True), ("3.10.0", False), ("4.7.0", False)],
)
def test_launches_are_repeated_on_known_releases_only(release: str, known: bool) -> None:
    assert can_repeat(release) is known


def test_the_tests_are_run_with_a_known_release() -> None:
    """What [dev] may bring is what launches are repeated on, no more and no less."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    lines = settings["options.extras_require"]["dev"].splitlines()
    (triton,) = [Requirement(line) for line in lines if line.startswith("triton")]
    for minor in range(12):
        release = f"3.{minor}.0"
        assert triton.specifier.contains(release) is can_repeat(release)
    assert RELEASES[0][0] == RELEASES[1][0] == 3


def test_the_installed_triton_ends_a_launch_in_the_same_call() -> None:
    jit = pytest.importorskip("triton.runtime.jit")
    if not can_repeat(installed_release()):
        pytest.skip("this release of Triton is not repeated")
    source = " ".join(inspect.getsource(jit.JITFunction.run).split())
    call = source.partition("kernel.run(")[2].partition(")")[0]
    arguments = [argument.strip() for argument in call.split(",")]
    assert arguments[:6] == [
        "grid_0", "grid_1", "grid_2", "stream", "kernel.function", "kernel.packed_metadata",
    ]  # fmt: skip
    assert arguments[6] == "launch_metadata"
    assert [name.rpartition(".")[2] for name in arguments[7:9]] == [
        "launch_enter_hook",
        "launch_exit_hook",
    ]
    assert arguments[9] == "*bound_args.values("
