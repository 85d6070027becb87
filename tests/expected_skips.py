"""A test that is skipped and should not be fails the run: `pytest --skips dev` or `--skips base`.

`dev` is the whole installation, as `sh setup.sh test` makes it; `base` that of `pip install edgesr`
and pytest alone. Without the option tests are skipped as they like.
"""

import re
import sys
from typing import Any, NamedTuple

import pytest


class Skip(NamedTuple):
    """Skips that are right.

    Attributes:
        tests: how the node ids begin.
        reason: what the skip must say, a regular expression for the whole of it.
        why: why nothing is lost.
    """

    tests: str
    reason: str
    why: str


_ANYWHERE = (
    Skip("tests/", r"EDGESR_DATA names no folder with .*", "the image sets may not be passed on"),
    Skip("tests/scan/test_fused.py", "needs a CUDA GPU", "the interpreter runs the same kernels"),
    Skip("tests/models/test_token_norm.py", "needs a CUDA GPU", "as for test_fused.py"),
    Skip("tests/models/test_local_norm.py", "needs a CUDA GPU", "as for test_fused.py"),
    Skip("tests/train/", "a CUDA graph needs a GPU", "public CI has none"),
    Skip("tests/train/test_gpu_power.py", "needs an NVIDIA card", "public CI has none"),
    Skip("tests/power/test_sampler_nvml.py", "no NVIDIA driver", "public CI has none"),
    Skip("tests/power/test_sampler_nvml.py", "there is an NVIDIA driver", "the other half runs"),
    Skip("tests/power/test_sampler.py", "there is an NVIDIA driver", "a sensor is there, then"),
    Skip("tests/cli/test_bench_command.py", "this machine has a power sensor", "for others"),
    Skip("tests/cli/test_verify.py", "this machine has a GPU", "it is for others"),
    Skip("tests/engine/test_on_a_gpu.py", "needs TensorRT and an NVIDIA GPU", "public CI has none"),
    Skip("tests/runtime/test_tile_sums.py", "needs pycuda and an NVIDIA GPU", "public CI has none"),
    Skip("tests/runtime/test_tile_sums.py", "needs ptxas, of the CUDA toolkit", "as for nvcc"),
    Skip("tests/scan/test_fused.py", r"the interpreter of Triton .* cannot loop .*", "3.7 can"),
    Skip("tests/engine/test_on_a_gpu.py", "this network needs no plugin", "it is for the student"),
    Skip("tests/engine/test_plugin.py", "there is no nvcc", "tests/scan compiles it by g++"),
    Skip("tests/engine/test_plugin.py", "there is no cuobjdump", "it comes with nvcc"),
    Skip("tests/engine/test_plugin.py", "TensorRT's headers are not installed", "wheels have none"),
    Skip(
        "tests/benchmarks/test_engine_table.py",
        r"got empty parameter set .*",
        "no table of engines is committed yet",
    ),
    Skip("tests/test_checkout.py", "no checkout of git", "an archive has no list of its files"),
    Skip("tests/cluster/", r"a minute and more: set EDGESR_RAY=1", "CONTRIBUTING.md says it"),
    Skip("tests/arm64/", r".*", "two minutes as root; CONTRIBUTING.md says how to run it"),
)
_NO_EXTRAS = (
    Skip("tests", r"needs \w+: pip install 'edgesr\[\w+\]'", "the base install has no extra"),
    Skip("tests", r"could not import '[\w.]+': .*", "the base install has no extra"),
    Skip("tests/", "needs Triton", "the base install has no extra"),
    Skip("tests/", r"no [\w-]+: sh setup\.sh test installs it", "the base install has no linters"),
    Skip("tests/", r"(apt install|needs|no) ?\w*|gst-launch-1.0 is not installed",
         "programs that only the tests of the whole installation use"),
)  # fmt: skip

_PYTHON_3_10 = (
    Skip("tests/", r"needs av: pip install 'edgesr\[video\]'", "PyAV 18 is for 3.11 and later"),
)

EXPECTED = {
    "dev": _ANYWHERE if sys.version_info >= (3, 11) else (*_ANYWHERE, *_PYTHON_3_10),
    "base": (*_ANYWHERE, *_NO_EXTRAS),
}
"""Installation -> the skips that are right there."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--skips`."""
    text = "fail on a skip that tests/expected_skips.py does not name for this installation"
    parser.addoption("--skips", choices=sorted(EXPECTED), default=None, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Watch in the process that writes the report, where there are several."""
    chosen = config.getoption("--skips")
    if chosen is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Watch(EXPECTED[chosen]))


class _Watch:
    """Collects what was skipped without being expected, and fails the run for it."""

    def __init__(self, expected: tuple[Skip, ...]) -> None:
        self._expected = expected
        self._unexpected: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        self._look(report)

    def pytest_collectreport(self, report: Any) -> None:
        self._look(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._unexpected and session.exitstatus in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._unexpected:
            terminalreporter.section("skips that nobody expected", red=True)
            for line in self._unexpected:
                terminalreporter.line(line)

    def _look(self, report: Any) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = said.removeprefix("Skipped: ")
        for skip in self._expected:
            if report.nodeid.startswith(skip.tests) and re.fullmatch(skip.reason, reason):
                return
        self._unexpected.append(f"{report.nodeid}: {reason}")
