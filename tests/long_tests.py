"""Tests that take long are left out unless they are asked for: `pytest --long` runs all.

A test is long that is marked so, `@pytest.mark.long`, or that has a parameter marked so. One that
is named by its node id (`pytest FILE::TEST`) runs in any case.
"""

from typing import Any

import pytest

LEFT_OUT = "left out as long"
SAYS = "{count} long tests were left out; `pytest --long` runs them too (CONTRIBUTING.md)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--long`."""
    parser.addoption("--long", action="store_true", help="run the tests that are marked long, too")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and count in the process that writes the report."""
    config.addinivalue_line("markers", "long: takes seconds of CPU; left out without --long")
    if not config.getoption("--long"):
        config.pluginmanager.register(_LeaveOut(config))


class _LeaveOut:
    """Takes long tests out of a run, and says how many at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._output: dict[str, Any] | None = getattr(config, "workeroutput", None)
        self._count = 0

    @pytest.hookimpl(trylast=True)  # after `-k` and `-m` have chosen
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        named = {word for word in config.args if "::" in word}
        long = [item for item in items if item.get_closest_marker("long")]
        out = [item for item in long if not named & _names(item)]
        self._count = len(out)
        if self._output is not None:  # one of several processes, which all find the same tests
            self._output[LEFT_OUT] = len(out)
        if out:
            config.hook.pytest_deselected(items=out)
            gone = set(out)
            items[:] = [item for item in items if item not in gone]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a process counted, where xdist has several."""
        self._count = max(self._count, getattr(node, "workeroutput", {}).get(LEFT_OUT, 0))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._count:
            terminalreporter.write_line(SAYS.format(count=self._count))


def _names(item: pytest.Item) -> set[str]:
    """Return the ways in which a command line names this test alone or with its parameters."""
    ids = {item.nodeid, item.nodeid.partition("[")[0]}
    return ids | {f"{item.path}::{name.partition('::')[2]}" for name in ids}
