"""A server in this process whose network runs only when the test opens a gate."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import uvicorn
from numpy.typing import NDArray
from running_server import Client

from edgesr.imaging.picture import Picture
from edgesr.runtime.sessions import Opened
from edgesr.serve.server import listen, serve
from edgesr.serve.settings import ServerSettings
from edgesr.serve.worker import Worker


@dataclass
class Gated:
    """A network, `edgesr.runtime.session.Session`, that repeats every pixel."""

    backend: str = "numpy"
    model: str = "gated"
    scale: int = 2
    tile: int | None = 16
    batch: int | None = 1
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    threads: set[int] = field(default_factory=set)
    failure: Exception | None = None
    calls: int = 0

    def run(self, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        self.threads.add(threading.get_ident())
        self.entered.set()
        assert self.gate.wait(60)
        if self.failure is not None:
            raise self.failure
        return tiles.repeat(2, axis=2).repeat(2, axis=3)

    def close(self) -> None:
        self.threads.add(threading.get_ident())


@dataclass(frozen=True)
class Only:
    """Sessions of one network, whatever the picture."""

    network: Gated

    @property
    def scale(self) -> int:
        return self.network.scale

    def open_all(self) -> list[Gated]:
        return [self.network]

    def session_for(self, picture: Picture) -> Opened:
        return Opened(self.network, 0.0, None)

    def close(self) -> None:
        self.network.close()


@dataclass(frozen=True)
class InThread(Client):
    """A server in a thread."""

    network: Gated
    lines: list[str]


@contextmanager
def gated(settings: ServerSettings) -> Iterator[InThread]:
    """Run a server; the gate is opened at the end."""
    network, lines, servers = Gated(), [], []
    ready = threading.Event()

    def on_ready(server: uvicorn.Server) -> None:
        servers.append(server)
        ready.set()

    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    worker = Worker(lambda: Only(network), settings)
    thread = threading.Thread(
        target=serve, args=(listener, worker, settings, lines.append, on_ready)
    )
    thread.start()
    try:
        assert ready.wait(60)
        yield InThread(port, network, lines)
    finally:
        network.gate.set()
        servers[0].should_exit = True
        thread.join(60)
        worker.close()
    assert not thread.is_alive()
    assert len(network.threads) <= 1, "an engine belongs to the thread that opened it"
