"""The browser of the report's tests serves here too; servers that the tests start and end."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "bench"))

from running_server import Running, running


@pytest.fixture(scope="session")
def extra() -> None:
    """Packages without which `edgesr serve` does not start."""
    pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def server(extra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server as people start it, with small limits."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with running(log, "-m", "esr-fast", "--max-body-mb", "0.5") as started:
        yield started


@pytest.fixture
def start(extra: None, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start servers of one's own, which end with the test."""
    from contextlib import ExitStack

    with ExitStack() as servers:

        def begin(*options: str) -> Running:
            log = tmp_path / f"log{len(list(tmp_path.glob('log*.txt')))}.txt"
            return servers.enter_context(running(log, *options))

        yield begin
