"""Tests of what an extra brings are skipped where the extra is not installed.

A test is one of those when its file, a fixture or the test itself imports the package. An import
that fails inside of what a test calls is no reason to skip: there the product owes a message.
"""

from collections.abc import Generator
from pathlib import Path

import pytest

HERE = Path(__file__).parent

EXTRAS = {
    "anyio": "serve",
    "av": "video",
    "h11": "serve",
    "hypothesis": "dev",
    "jsonschema": "dev",
    "matplotlib": "train",
    "onnx": "train",
    "onnxscript": "train",
    "packaging": "dev",
    "PIL": "dev",
    "pi_heif": "formats",
    "pillow_jxl": "dev",
    "prometheus_client": "serve",
    "pynvml": "nvml",
    "pypiqe": "dev",
    "ray": "ray",
    "safetensors": "train",
    "starlette": "serve",
    "torch": "train",
    "triton": "dev",
    "uvicorn": "serve",
}
"""Package as it is imported -> the extra that brings it."""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a file that cannot be imported for want of an optional package into a skip."""
    report = yield
    if report.outcome == "failed" and (package := missing(report.call.excinfo.value)):
        _skip(report, package)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a fixture that lacks an optional package into a skip, and a test that imports one."""
    report = yield
    if report.outcome == "failed" and call.excinfo is not None:
        package = missing(call.excinfo.value)
        if package and (call.when == "setup" or _imported_by_a_test(call.excinfo)):
            _skip(report, package)
    return report


def _skip(report: pytest.CollectReport | pytest.TestReport, package: str) -> None:
    report.outcome = "skipped"
    report.longrepr = (report.nodeid, 0, f"Skipped: {reason(package)}")


def reason(package: str) -> str:
    """Return what a test that is skipped for want of a package says."""
    return f"needs {package}: pip install 'edgesr[{EXTRAS[package]}]'"


def _imported_by_a_test(raised: pytest.ExceptionInfo[BaseException]) -> bool:
    """Return whether the statement that failed stands in tests/."""
    return HERE in Path(str(raised.traceback[-1].path)).parents


def missing(error: BaseException | None) -> str | None:
    """Return the optional package for want of which an import failed."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.partition(".")[0]
            return package if package in EXTRAS else None
        error = error.__cause__ or error.__context__
    return None
