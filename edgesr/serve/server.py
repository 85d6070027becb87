"""The server as a process: a socket, uvicorn, and a clean end."""

import asyncio
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from edgesr.errors import Argument, ConfigError
from edgesr.serve.app import make_app
from edgesr.serve.connection import timed_protocol
from edgesr.serve.settings import ServerSettings
from edgesr.serve.worker import Worker

_KEEP_ALIVE_S = 5
_EVERY_ADDRESS = "--host 0.0.0.0 for the whole network"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket on which connections can come; they wait until somebody answers.

    Args:
        host: address or name of this machine; `0.0.0.0` or `::` is all of its addresses.
        port: 1 to 65535, or 0 for any that is free.

    Raises:
        ConfigError: it cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            "no such address",
            where=Argument("host", host),
            fix=_EVERY_ADDRESS,
        ) from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        another = Argument("port", port + 1 if 1023 < port < 65535 else 8000)
        raise ConfigError(
            f"cannot listen there ({error.strerror})",
            where=f"{host}:{port}",
            # No port helps with an address that is not this machine's.
            fix=_EVERY_ADDRESS if error.errno == errno.EADDRNOTAVAIL else another,
        ) from error
    return listener


def addresses(listener: socket.socket) -> list[str]:
    """Return where a browser finds the server, for people."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        return [f"http://{name}:{port}/" for name in ("localhost", _address_in_network()) if name]
    return [f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"]


def own_names() -> tuple[str, ...]:
    """Return the names under which this machine's network may know it, in lower case."""
    name = socket.gethostname().lower()
    return (name, f"{name.partition('.')[0]}.local")


def _address_in_network() -> str | None:
    """Return the address that others in the network reach; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of documentation, RFC 5737
        except OSError:
            return None
        return str(probe.getsockname()[0])


class _Server(uvicorn.Server):
    """Ends when asked: first with what is in line finished, asked again with it given up."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to signals while the block runs; uvicorn would raise them again after it."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread hears of signals
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self.should_exit:
            asyncio.get_running_loop().call_soon_threadsafe(self._give_up)
        self.should_exit = True

    def _give_up(self) -> None:
        """Cut all connections; a picture for which nobody waits is not gone on with."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Lines(logging.Handler):
    """Gives uvicorn's warnings to whoever takes our lines."""

    def __init__(self, log: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on."""
        self._log(self.format(record))


def serve(
    listener: socket.socket,
    worker: Worker,
    settings: ServerSettings,
    log: Callable[[str], None],
    on_ready: Callable[[uvicorn.Server], None],
) -> None:
    """Answer requests until Ctrl-C or SIGTERM; then those that are in line are finished.

    A second one gives them up.

    Args:
        listener: from `listen`.
        worker: enlarges; it is left open.
        settings: limits.
        log: takes a line for every request, and warnings.
        on_ready: called with the server when requests can come.
    """
    app = make_app(worker, settings, log, lambda: on_ready(server))
    config = uvicorn.Config(
        app,
        http=timed_protocol(settings),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=settings.connections,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    lines = logging.getLogger("uvicorn")
    lines.handlers, lines.propagate = [_Lines(log)], False
    server = _Server(config)
    server.run(sockets=[listener])
