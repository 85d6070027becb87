"""`edgesr serve` as a process, and requests to it, well-formed or not."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def refusal(self) -> dict[str, str]:
        """Return the JSON object of an answer that is no picture."""
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        said: dict[str, str] = json.loads(self.body)
        assert list(said) == ["what", "where", "next"]
        assert all(said.values())
        return said


@dataclass(frozen=True)
class Client:
    """What asks the server at a port of this machine."""

    port: int

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = _PATIENCE_S,
    ) -> Answer:
        """Send a request, in a connection of its own, and return the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """Return a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_S)

    def send(self, data: bytes) -> Answer:
        """Send bytes as they are and return the answer."""
        with self.connect() as connection:
            connection.sendall(data)
            response = http.client.HTTPResponse(connection)
            response.begin()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, fields, response.read())

    def wait_until_taken(self, count: int) -> None:
        """Wait until that many pictures are in line."""
        deadline = time.monotonic() + _PATIENCE_S
        while json.loads(self.ask("GET", "/health").body)["in_line"] != count:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@dataclass(frozen=True)
class Running(Client):
    """A server that runs as a process."""

    process: subprocess.Popen[bytes]
    log: Path

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE_S)

    def text(self) -> str:
        """Return all that the server has printed."""
        return self.log.read_text()


@contextmanager
def running(log: Path, *options: str) -> Iterator[Running]:
    """Start a server on a free port; at the end it must not have printed a traceback."""
    command = [sys.executable, "-m", "edgesr", "serve", "--port", "0", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while (found := re.search(r"http://[^ ]+?:(\d+)/", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        started = Running(int(found[1]), process, log)
        yield started
        if process.poll() is None:
            assert started.end() == 0, log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
