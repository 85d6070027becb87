"""Tests of what an extra brings: skipped, file by file, where the extra is not installed."""

from collections.abc import Iterator

import pytest

EXTRAS = {
    "anyio": "serve",
    "h11": "serve",
    "hypothesis": "dev",
    "jsonschema": "dev",
    "onnx": "train",
    "onnxscript": "train",
    "packaging": "dev",
    "PIL": "dev",
    "prometheus_client": "serve",
    "pynvml": "nvml",
    "safetensors": "train",
    "starlette": "serve",
    "torch": "train",
    "uvicorn": "serve",
}
"""Package as it is imported -> the extra that brings it."""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """Turn a file that cannot be imported for want of an optional package into a skip."""
    report = yield
    if report.outcome == "failed" and (package := _missing(report.call.excinfo.value)):
        reason = f"needs {package}: pip install 'edgesr[{EXTRAS[package]}]'"
        report.outcome, report.longrepr = "skipped", (report.nodeid, 0, f"Skipped: {reason}")
    return report


def _missing(error: BaseException | None) -> str | None:
    """Return the optional package for want of which an import failed."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.partition(".")[0]
            return package if package in EXTRAS else None
        error = error.__cause__ or error.__context__
    return None
