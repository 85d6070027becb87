"""A run without `--long` leaves out what is marked long, and says so in a line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import sys
sys.path.insert(0, {here!r})
pytest_plugins = ["long_tests"]
"""
TESTS = """
import pytest

@pytest.mark.long
def test_long():
    pass

@pytest.mark.parametrize("page", ["short", pytest.param("heavy", marks=pytest.mark.long)])
def test_page(page):
    pass
"""
SAID = "2 long tests were left out; `pytest --long` runs them too (CONTRIBUTING.md)"


@pytest.mark.parametrize(
    ("arguments", "passed", "says"),
    [
        (["test_it.py"], 1, True),
        (["test_it.py", "-p", "xdist", "-n", "2"], 1, True),
        (["test_it.py", "--long"], 3, False),
        (["test_it.py::test_long"], 1, False),
        (["test_it.py::test_page[heavy]"], 1, False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_long_ones_run_when_asked_for(
    tmp_path: Path, arguments: list[str], passed: int, says: bool
) -> None:
    if "-n" in arguments:
        pytest.importorskip("xdist")
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(CONFTEST.format(here=str(Path(__file__).parent)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    # Plugins that are installed take two seconds to load, and these tests need none but xdist.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "--strict-markers", *arguments],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{passed} passed" in done.stdout
    assert (SAID in done.stdout) is says
